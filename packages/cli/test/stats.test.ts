import { expect, it } from 'vitest';

import { size, statsLine, time } from '../src/stats.js';

const ending = { exitCode: 0, signal: undefined, durationMs: 12.34, oomKilled: false, timedOut: false, isCanceled: false };

it('says everything in one line', () => {
  expect(statsLine({ ...ending, usage: { cpuMicroseconds: 4100, peakMemoryBytes: 3_565_158, peakPids: 2, source: 'cgroup' } })).toBe(
    'wall 12.3 ms  cpu 4.1 ms  memory 3.4 MiB  pids 2  oom no',
  );
});

it('says what is not known, and who has counted', () => {
  expect(statsLine({ ...ending, oomKilled: true, usage: { cpuMicroseconds: 0, peakMemoryBytes: undefined, peakPids: undefined, source: 'rusage' } })).toBe(
    'wall 12.3 ms  cpu 0.0 ms  memory ?  pids ?  oom yes  (by rusage)',
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
