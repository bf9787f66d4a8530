import { keyed, number, type ReadFile, type Stats, type Usage } from '../counter.js';

/** `memory.max_usage_in_bytes`, and how many processes were killed of this group itself, from `memory.oom_control`. */
export function memoryUsage(read: ReadFile): Partial<Usage> {
  return { memoryPeakBytes: number(read('memory.max_usage_in_bytes')), oomKills: keyed(read('memory.oom_control'), 'oom_kill') };
}

/** `memory.usage_in_bytes`. */
export function memoryNow(read: ReadFile): Partial<Stats> {
  return { memoryCurrentBytes: number(read('memory.usage_in_bytes')) };
}
