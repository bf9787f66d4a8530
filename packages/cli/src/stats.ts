import type { Ending } from '@ctr/runtime';

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/**
 * `wall 12.3 ms  cpu 4.1 ms  memory 3.4 MiB  pids 2  oom no`; and, where there is something to tell, how long the container had to wait for its share of the processors, how often a process
 * was refused, and what was read and written. Where no cgroup has counted, it says so.
 */
export function statsLine({ durationMs, oomKilled, usage }: Ending): string {
  const { cpuMicroseconds, peakMemoryBytes, peakPids, pidsMaxHits, statistics, source } = usage;
  const throttled = statistics?.cpu?.throttledMicroseconds ?? 0;
  const read = sum(statistics?.io?.map(({ readBytes }) => readBytes));
  const written = sum(statistics?.io?.map(({ writeBytes }) => writeBytes));
  return [
    `wall ${time(durationMs)}`,
    `cpu ${time(cpuMicroseconds / 1000)}`,
    ...(throttled > 0 ? [`throttled ${time(throttled / 1000)}`] : []),
    `memory ${peakMemoryBytes === undefined ? '?' : size(peakMemoryBytes)}`,
    `pids ${peakPids ?? '?'}`,
    ...((pidsMaxHits ?? 0) > 0 ? [`refused ${pidsMaxHits}`] : []),
    ...(read > 0 ? [`read ${size(read)}`] : []),
    ...(written > 0 ? [`written ${size(written)}`] : []),
    `oom ${oomKilled ? 'yes' : 'no'}`,
    ...(source === 'rusage' ? ['(by rusage)'] : []),
  ].join('  ');
}

/** What is known, together. */
export function sum(numbers: readonly (number | undefined)[] | undefined): number {
  return numbers?.reduce<number>((total, value) => total + (value ?? 0), 0) ?? 0;
}

/** `12.3 ms`, `4.56 s`, `3 min 5 s` */
export function time(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds.toFixed(1)} ms`;
  const seconds = milliseconds / 1000;
  return seconds < 60 ? `${seconds.toFixed(2)} s` : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

/** `3.4 MiB` */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
