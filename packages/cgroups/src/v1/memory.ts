import { keyed, number, type ReadFile, type Stats, type Usage } from '../counter.js';
import type { Limits, Setting } from '../limits.js';

/** `memory.limit_in_bytes`. @see Documentation/admin-guide/cgroup-v1/memory.rst of the kernel */
export function memory({ memoryBytes }: Limits): Setting[] {
  return memoryBytes === undefined ? [] : [{ file: 'memory.limit_in_bytes', value: memoryBytes === 'max' ? '-1' : String(memoryBytes) }];
}

/** `memory.max_usage_in_bytes`, and how many processes were killed of this group itself, from `memory.oom_control`. */
export function memoryUsage(read: ReadFile): Partial<Usage> {
  return { memoryPeakBytes: number(read('memory.max_usage_in_bytes')), oomKills: keyed(read('memory.oom_control'), 'oom_kill') };
}

/** `memory.usage_in_bytes`. */
export function memoryNow(read: ReadFile): Partial<Stats> {
  return { memoryCurrentBytes: number(read('memory.usage_in_bytes')) };
}
