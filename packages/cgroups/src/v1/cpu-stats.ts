import { microseconds, number, valuesOf, type Source, type Usage } from '../counter.js';
import type { CpuStatistics } from '../statistics.js';

/** `cpuacct.usage`. @see Documentation/admin-guide/cgroup-v1/cpuacct.rst of the kernel */
export function cpuacctUsage({ read }: Source): Partial<Usage> {
  return { cpuMicroseconds: microseconds(number(read('cpuacct.usage'))) };
}

/** `cpuacct.usage` and its parts, in nanoseconds. */
export function cpuacctStatistics({ read }: Source): Partial<CpuStatistics> {
  return {
    usageMicroseconds: microseconds(number(read('cpuacct.usage'))),
    userMicroseconds: microseconds(number(read('cpuacct.usage_user'))),
    systemMicroseconds: microseconds(number(read('cpuacct.usage_sys'))),
  };
}

/** `cpu.stat`. @see Documentation/scheduler/sched-bwc.rst of the kernel */
export function cpuStatistics({ read }: Source): Partial<CpuStatistics> {
  const stat = valuesOf(read('cpu.stat'));
  return {
    periods: stat.get('nr_periods'),
    throttledPeriods: stat.get('nr_throttled'),
    throttledMicroseconds: microseconds(stat.get('throttled_time')),
    bursts: stat.get('nr_bursts'),
    burstMicroseconds: microseconds(stat.get('burst_time')),
  };
}
