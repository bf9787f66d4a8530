import { keyed, number, type ReadFile, type Stats, type Usage } from '../counter.js';

/** `memory.peak` (kernel 5.19 and later), and how many processes were killed in it and below, from `memory.events`. */
export function memoryUsage(read: ReadFile): Partial<Usage> {
  return { memoryPeakBytes: number(read('memory.peak')), oomKills: keyed(read('memory.events'), 'oom_kill') };
}

/** `memory.current`. */
export function memoryNow(read: ReadFile): Partial<Stats> {
  return { memoryCurrentBytes: number(read('memory.current')) };
}
