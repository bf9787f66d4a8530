import type { Limits, Setting } from '../limits.js';

/** What a group has from its beginning: cpu.cfs_period_us need not be written. */
const PERIOD_MICROSECONDS = 100_000;

/** `cpu.cfs_quota_us` and `cpu.shares`. @see Documentation/scheduler/sched-bwc.rst of the kernel */
export function cpu({ cpuCores, cpuWeight }: Limits): Setting[] {
  const settings: Setting[] = [];
  if (cpuCores !== undefined)
    settings.push({ file: 'cpu.cfs_quota_us', value: cpuCores === 'max' ? '-1' : String(Math.round(cpuCores * PERIOD_MICROSECONDS)) });
  // A weight of 100 is 1024 shares: sched_weight_from_cgroup() of kernel/sched/sched.h.
  if (cpuWeight !== undefined) settings.push({ file: 'cpu.shares', value: String(Math.round((cpuWeight * 1024) / 100)) });
  return settings;
}
