import type { Limits } from '../limits.js';
import { noPeriod, quotaOf } from '../quota.js';
import type { ReadNow, Setting } from '../setting.js';

const noRealtime = {
  absent: 'this kernel was built without groups of real-time processes (CONFIG_RT_GROUP_SCHED), or runs with rt_group_sched=0',
  hints: { EINVAL: 'the groups above have to have as much real-time in a period, all groups below them together: give it to them first' },
};
const noQuota = { EINVAL: 'the group above may allow less, a group below may have more, or a cpuBurstMicroseconds that stands is above it' };
const noIdle = 'kernels before 5.15 have no idle groups';

/** `cpu.cfs_*_us`, `cpu.shares`, `cpu.idle` and `cpu.rt_*_us`. @see Documentation/scheduler/sched-bwc.rst and sched-rt-group.rst of the kernel */
export function cpu(limits: Limits): Setting[] {
  const { cpuPeriodMicroseconds: period } = limits;
  return [...(period === undefined ? [] : [periodOf(period)]), ...quotas(limits), ...burst(limits), ...shares(limits), ...realtime(limits)];
}

/**
 * The same for a group that is there. What a group may use of a period is compared with the group above at each write: no state on the way may allow more than the one before or the one after.
 */
export function cpuChange(limits: Limits, read: ReadNow): Setting[] {
  const standing = Number(read('cpu.cfs_period_us') ?? noPeriod);
  const { cpuPeriodMicroseconds: period = standing } = limits;
  const bandwidth = quotas({ ...limits, cpuPeriodMicroseconds: period });
  if (period > standing) bandwidth.unshift(periodOf(period));
  if (period < standing) bandwidth.push(periodOf(period));
  // The kernel keeps the burst within the quota.
  const lowersBurst = limits.cpuBurstMicroseconds !== undefined && limits.cpuBurstMicroseconds < Number(read('cpu.cfs_burst_us'));
  const ordered = lowersBurst ? [...burst(limits), ...bandwidth] : [...bandwidth, ...burst(limits)];
  const [runtime, rtPeriod] = [limits.cpuRealtimeRuntimeMicroseconds, limits.cpuRealtimePeriodMicroseconds];
  const shortens = runtime !== undefined && rtPeriod !== undefined && rtPeriod < Number(read('cpu.rt_period_us'));
  return [...ordered, ...shares(limits), ...(shortens ? realtime(limits).toReversed() : realtime(limits))];
}

function periodOf(microseconds: number): Setting {
  return { file: 'cpu.cfs_period_us', value: String(microseconds) };
}

function quotas(limits: Limits): Setting[] {
  const quota = quotaOf(limits);
  return quota === undefined ? [] : [{ file: 'cpu.cfs_quota_us', value: quota === 'max' ? '-1' : String(quota), hints: noQuota }];
}

function burst({ cpuBurstMicroseconds }: Limits): Setting[] {
  return cpuBurstMicroseconds === undefined ? [] : [{ file: 'cpu.cfs_burst_us', value: String(cpuBurstMicroseconds) }];
}

/** The weight of a group that is idle cannot be changed, so it stops being idle first. */
function shares({ cpuIdle, cpuWeight, cpuShares }: Limits): Setting[] {
  const settings: Setting[] = cpuIdle === undefined ? [] : [{ file: 'cpu.idle', value: cpuIdle ? '1' : '0', absent: noIdle }];
  // A weight of 100 is 1024 shares: sched_weight_from_cgroup() of kernel/sched/sched.h.
  const value = cpuShares ?? (cpuWeight === undefined ? undefined : Math.round((cpuWeight * 1024) / 100));
  if (value !== undefined) settings.push({ file: 'cpu.shares', value: String(value), hints: { EINVAL: 'an idle group has no weight: set cpuIdle to false' } });
  return settings;
}

function realtime({ cpuRealtimeRuntimeMicroseconds: runtime, cpuRealtimePeriodMicroseconds: period }: Limits): Setting[] {
  const settings: Setting[] = [];
  if (period !== undefined) settings.push({ file: 'cpu.rt_period_us', value: String(period), ...noRealtime });
  if (runtime !== undefined) settings.push({ file: 'cpu.rt_runtime_us', value: String(runtime), ...noRealtime });
  return settings;
}
