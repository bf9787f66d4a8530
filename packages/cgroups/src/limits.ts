import { checkOptions } from '@ctr/syscall';

/** What a group of processes may use. What is not given is not limited. */
export interface Limits {
  /** How many processes and threads there may be at once: 1 to 4194304, or `'max'` for no limit. The `clone` above it fails with EAGAIN. */
  readonly pids?: number | 'max';
  /** How much memory, page cache included, in bytes: 4096 to 2^53 - 1, or `'max'`. The kernel rounds down to pages, and kills when it can free nothing. */
  readonly memoryBytes?: number | 'max';
  /** How much time of all processors together, in processors: 0.01 to 175921860 (`1.5`: 150 ms in each 100 ms), or `'max'`. */
  readonly cpuCores?: number | 'max';
  /** The share of processor time where there is not enough for all: 1 to 10000. The kernel's default is 100. */
  readonly cpuWeight?: number;
}

/** One line for one file of a group. */
export interface Setting {
  /** The file of the group: `pids.max`. */
  readonly file: string;
  readonly value: string;
}

/** The ranges that the kernel takes. */
const ranges: Readonly<Record<keyof Limits, { from: number; to: number; integer: boolean; max: boolean; unit: string }>> = {
  // kernel/cgroup/pids.c: PIDS_MAX is PID_MAX_LIMIT (linux/threads.h) + 1. 0 would keep the first process out, too.
  pids: { from: 1, to: 4_194_304, integer: true, max: true, unit: 'processes' },
  // Less than one page is rounded down to nothing.
  memoryBytes: { from: 4096, to: Number.MAX_SAFE_INTEGER, integer: true, max: true, unit: 'bytes' },
  // kernel/sched/core.c: a quota is at least 1 ms (min_cfs_quota_period) and at most 2^44 - 1 µs (MAX_BW), here in each 100 ms.
  cpuCores: { from: 0.01, to: 175_921_860, integer: false, max: true, unit: 'processors' },
  // linux/cgroup.h: CGROUP_WEIGHT_MIN, CGROUP_WEIGHT_MAX
  cpuWeight: { from: 1, to: 10_000, integer: true, max: false, unit: 'parts' },
};
const names = Object.keys(ranges) as (keyof Limits)[];

/**
 * Checks limits before anything is touched: throws a `RangeError` that names the kernel's range, a `TypeError` for what is no number,
 * and one that names the nearest known key for a key that does not exist.
 *
 * @example
 * ```ts
 * import { checkLimits } from '@ctr/cgroups';
 * checkLimits({ pids: 20, memoryBytes: 64 * 2 ** 20 });
 * ```
 */
export function checkLimits(limits: Limits): void {
  checkOptions('limits', limits, names);
  for (const name of names) {
    const value: unknown = limits[name];
    const { from, to, integer, max, unit } = ranges[name];
    if (value === undefined || (max && value === 'max')) continue;
    const wanted = `${name} takes ${integer ? 'a whole number' : 'a number'} of ${unit} from ${from} to ${to}${max ? ", or 'max' for no limit" : ''}`;
    if (typeof value !== 'number')
      throw new TypeError(`${wanted}: ${typeof value === 'string' ? JSON.stringify(value) : `a value of type ${typeof value}`} is none`);
    if (!(value >= from && value <= to) || (integer && !Number.isInteger(value))) throw new RangeError(`${wanted}: ${value} is not one`);
  }
}
