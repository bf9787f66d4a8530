import { describe, expect, it } from 'vitest';

import { ContainerError, isContainerError, type Result } from '@ctr/runtime';

const result: Result = {
  exitCode: 3,
  signal: undefined,
  durationMs: 12.3,
  oomKilled: false,
  timedOut: false,
  isCanceled: false,
  outputDropped: false,
  usage: { cpuMicroseconds: 1, peakMemoryBytes: 2, peakPids: 3, pidsMaxHits: 0, statistics: undefined, source: 'cgroup' },
  stdout: 'out',
  stderr: '',
  outputTruncated: false,
  all: undefined,
  isMaxBuffer: false,
};

describe('ContainerError', () => {
  it.each([
    [{}, '"sh -c exit 3" ended with exit code 3'],
    [{ stderr: 'no\nway\n' }, '"sh -c exit 3" ended with exit code 3\nno\nway'],
    [{ exitCode: undefined, signal: 'SIGSEGV' }, '"sh -c exit 3" was killed by SIGSEGV'],
    [{ exitCode: undefined, signal: 'SIGKILL', oomKilled: true }, '"sh -c exit 3" was killed by SIGKILL: it reached its memory limit'],
    [{ oomKilled: true }, '"sh -c exit 3" ended with exit code 3: it reached its memory limit'],
    [{ exitCode: undefined, signal: 'SIGKILL', timedOut: true }, '"sh -c exit 3" was killed after 12 ms: its time was over'],
    [{ exitCode: undefined, signal: 'SIGKILL', isCanceled: true }, '"sh -c exit 3" was cancelled'],
  ] satisfies [Partial<Result>, string][])('with %j says: %s', (more, message) => {
    expect(new ContainerError(['sh', '-c', 'exit 3'], { ...result, ...more }).message).toBe(message);
  });

  it('has everything that a result has, and the command', () => {
    const error = new ContainerError(['sh', '-c', 'exit 3'], result);
    expect(error).toMatchObject({ ...result, name: 'ContainerError', command: ['sh', '-c', 'exit 3'] });
    expect(error).toBeInstanceOf(Error);
  });

  it('is known by its brand, whichever copy of the package made it', () => {
    expect(isContainerError(new ContainerError(['a'], result))).toBe(true);
    expect(isContainerError(Object.assign(new Error('a'), { [Symbol.for('ctr.ContainerError')]: true }))).toBe(true);
    for (const other of [new Error('a'), { exitCode: 3 }, undefined, null, 'ContainerError']) expect(isContainerError(other)).toBe(false);
  });
});
