import { keyed, number, type ReadFile, type Stats, type Usage } from '../counter.js';

/** `pids.peak` (kernel 6.3 and later) and `pids.events`. */
export function pidsUsage(read: ReadFile): Partial<Usage> {
  return { pidsPeak: number(read('pids.peak')), pidsMaxHits: keyed(read('pids.events'), 'max') };
}

/** `pids.current`. */
export function pidsNow(read: ReadFile): Partial<Stats> {
  return { pidsCurrent: number(read('pids.current')) };
}
