import { keyed, valuesOf, type Source, type Usage } from '../counter.js';
import type { CpuStatistics } from '../statistics.js';

/** `cpu.stat`: every group has it, with the controller or without. */
export function cpuUsage({ read }: Source): Partial<Usage> {
  return { cpuMicroseconds: keyed(read('cpu.stat'), 'usage_usec') };
}

/** `cpu.stat`: with the controller it has more lines. @see Documentation/admin-guide/cgroup-v2.rst of the kernel, CPU Interface Files */
export function cpuStatistics({ read }: Source): CpuStatistics {
  const stat = valuesOf(read('cpu.stat'));
  return {
    usageMicroseconds: stat.get('usage_usec'),
    userMicroseconds: stat.get('user_usec'),
    systemMicroseconds: stat.get('system_usec'),
    periods: stat.get('nr_periods'),
    throttledPeriods: stat.get('nr_throttled'),
    throttledMicroseconds: stat.get('throttled_usec'),
    bursts: stat.get('nr_bursts'),
    burstMicroseconds: stat.get('burst_usec'),
  };
}
