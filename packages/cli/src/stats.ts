import type { Ending } from '@ctr/runtime';

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `wall 12.3 ms  cpu 4.1 ms  memory 3.4 MiB  pids 2  oom no`; where no cgroup has counted, it says so. */
export function statsLine({ durationMs, oomKilled, usage }: Ending): string {
  const { cpuMicroseconds, peakMemoryBytes, peakPids, source } = usage;
  return [
    `wall ${time(durationMs)}`,
    `cpu ${time(cpuMicroseconds / 1000)}`,
    `memory ${peakMemoryBytes === undefined ? '?' : size(peakMemoryBytes)}`,
    `pids ${peakPids ?? '?'}`,
    `oom ${oomKilled ? 'yes' : 'no'}`,
    ...(source === 'rusage' ? ['(by rusage)'] : []),
  ].join('  ');
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
