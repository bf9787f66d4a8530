import type { LinuxCpu } from '@ctr/cgroups';

import { INT64, integer, object, since, text, uint64, wide, type Schema } from '../schema/schema.js';
import { LAST_CPU, LAST_NODE, numberList } from '../schema/texts.js';

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
    cpus: text('a list of processors, such as 0-3,7', numberList(LAST_CPU)),
    mems: text('a list of nodes, such as 0-1', numberList(LAST_NODE)),
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
