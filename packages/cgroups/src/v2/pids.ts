import { keyed, number, type ReadFile, type Stats, type Usage } from '../counter.js';
import type { Limits, Setting } from '../limits.js';

/** `pids.max`. @see Documentation/admin-guide/cgroup-v2.rst of the kernel, PID Interface Files */
export function pids({ pids: max }: Limits): Setting[] {
  return max === undefined ? [] : [{ file: 'pids.max', value: String(max) }];
}

/** `pids.peak` (kernel 6.3 and later) and `pids.events`. */
export function pidsUsage(read: ReadFile): Partial<Usage> {
  return { pidsPeak: number(read('pids.peak')), pidsMaxHits: keyed(read('pids.events'), 'max') };
}

/** `pids.current`. */
export function pidsNow(read: ReadFile): Partial<Stats> {
  return { pidsCurrent: number(read('pids.current')) };
}
