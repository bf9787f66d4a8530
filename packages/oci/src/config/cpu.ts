import { INT64, integer, object, since, text, uint64, wide, type Schema } from '../schema/schema.js';
import { numberList } from '../schema/texts.js';

/** Limits of processor time; 0 leaves what is. Times are in microseconds. */
export interface LinuxCpu {
  /** The weight beside other groups: from 2 to 262144. */
  readonly shares?: number | bigint;
  /** What the group may use in a period; -1 is no limit. */
  readonly quota?: number | bigint;
  /** What it may save up and use in a period besides. 1.1 */
  readonly burst?: number | bigint;
  /** From 1000 to 1000000. */
  readonly period?: number | bigint;
  /** Of cgroups v1 only. */
  readonly realtimeRuntime?: number | bigint;
  readonly realtimePeriod?: number | bigint;
  /** Which processors: `0-3,7`. */
  readonly cpus?: string;
  /** Which nodes of memory: `0-1`. */
  readonly mems?: string;
  /** 1 lets the group run when nothing else wants to. 1.1 */
  readonly idle?: number;
}

/** kernel/sched/core.c: min_cfs_quota_period, max_cfs_quota_period; kernel/sched/sched.h: MIN_SHARES, MAX_SHARES */
const PERIOD = { least: 1000, most: 1_000_000 };
const SHARES = { least: 2, most: 262_144 };

export const cpu: Schema<LinuxCpu> = object<LinuxCpu>(
  {
    shares: uint64(),
    quota: wide(-1n, INT64.most),
    burst: since('1.1', uint64()),
    period: uint64(),
    realtimeRuntime: wide(-1n, INT64.most),
    realtimePeriod: uint64(),
    cpus: text('a list of processors, such as 0-3,7', numberList),
    mems: text('a list of nodes, such as 0-1', numberList),
    idle: since('1.1', integer(0, 1)),
  },
  ({ shares = 0, quota = 0, burst = 0, period = 0, realtimeRuntime = 0, realtimePeriod = 0 }, report) => {
    if (shares !== 0 && (shares < SHARES.least || shares > SHARES.most))
      report.warning('shares', shares, `from ${SHARES.least} to ${SHARES.most}: the kernel takes what is nearest`);
    if (quota > 0 && quota < PERIOD.least) report.error('quota', quota, `-1, 0, or at least ${PERIOD.least} microseconds`);
    if (period !== 0 && (period < PERIOD.least || period > PERIOD.most))
      report.error('period', period, `0, or from ${PERIOD.least} to ${PERIOD.most} microseconds`);
    if (quota > 0 && burst > quota) report.error('burst', burst, `at most the quota, ${quota}`);
    if (realtimePeriod !== 0 && realtimeRuntime > realtimePeriod) report.error('realtimeRuntime', realtimeRuntime, `at most the period, ${realtimePeriod}`);
  },
);
