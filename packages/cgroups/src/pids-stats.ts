import { keyed, limitOf, number, type Source, type Usage } from './counter.js';
import type { PidsStatistics } from './statistics.js';

/** `pids.peak` (kernel 6.3 and later) and `pids.events`: the same on both versions. */
export function pidsUsage({ read }: Source): Partial<Usage> {
  return { pidsPeak: number(read('pids.peak')), pidsMaxHits: keyed(read('pids.events'), 'max') };
}

/** The files of the pids controller. @see Documentation/admin-guide/cgroup-v1/pids.rst of the kernel */
export function pidsStatistics({ read }: Source): PidsStatistics {
  return {
    current: number(read('pids.current')),
    peak: number(read('pids.peak')),
    max: limitOf(read('pids.max')),
    maxHits: keyed(read('pids.events'), 'max'),
  };
}
