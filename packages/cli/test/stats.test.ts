import { readStatistics } from '@ctr/cgroups';
import { expect, it } from 'vitest';

import { size, statsLine, time } from '../src/stats.js';

const ending = { exitCode: 0, signal: undefined, durationMs: 12.34, oomKilled: false, timedOut: false, isCanceled: false, outputDropped: false };
const noCpu = {
  usageMicroseconds: undefined,
  userMicroseconds: undefined,
  systemMicroseconds: undefined,
  periods: undefined,
  throttledPeriods: undefined,
  throttledMicroseconds: undefined,
  bursts: undefined,
  burstMicroseconds: undefined,
};
const noIo = {
  readBytes: undefined,
  writeBytes: undefined,
  discardBytes: undefined,
  readOperations: undefined,
  writeOperations: undefined,
  discardOperations: undefined,
};
const unknown = { pidsMaxHits: undefined, statistics: undefined };

it('says everything in one line', () => {
  expect(statsLine({ ...ending, usage: { cpuMicroseconds: 4100, peakMemoryBytes: 3_565_158, peakPids: 2, ...unknown, source: 'cgroup' } })).toBe(
    'wall 12.3 ms  cpu 4.1 ms  memory 3.4 MiB  pids 2  oom no',
  );
});

it('says what is not known, and who has counted', () => {
  expect(
    statsLine({ ...ending, oomKilled: true, usage: { cpuMicroseconds: 0, peakMemoryBytes: undefined, peakPids: undefined, ...unknown, source: 'rusage' } }),
  ).toBe('wall 12.3 ms  cpu 0.0 ms  memory ?  pids ?  oom yes  (by rusage)');
});

it('says what was throttled, refused, read and written', () => {
  const statistics = {
    ...readStatistics([]),
    cpu: { ...noCpu, throttledMicroseconds: 2_500_000 },
    io: [
      { ...noIo, device: '8:0', readBytes: 2 ** 20, writeBytes: 1024 },
      { ...noIo, device: '8:16', readBytes: 2 ** 20 },
    ],
  };
  const usage = { cpuMicroseconds: 0, peakMemoryBytes: 0, peakPids: 20, pidsMaxHits: 3, statistics, source: 'cgroup' } as const;
  expect(statsLine({ ...ending, usage })).toBe(
    'wall 12.3 ms  cpu 0.0 ms  throttled 2.50 s  memory 0 B  pids 20  refused 3  read 2.0 MiB  written 1.0 KiB  oom no',
  );
});

it.each([
  [0, '0.0 ms'],
  [999.94, '999.9 ms'],
  [1500, '1.50 s'],
  [185_000, '3 min 5 s'],
])('%d ms is %s', (milliseconds, text) => {
  expect(time(milliseconds)).toBe(text);
});

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [5 * 2 ** 40, '5.0 TiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(size(bytes)).toBe(text);
});
