import { keyed, limitOf, number, valuesOf, type Source, type Usage } from '../counter.js';
import type { MemoryStatistics } from '../statistics.js';

/** `memory.peak` (kernel 5.19 and later), and how many processes were killed in it and below, from `memory.events`. */
export function memoryUsage({ read }: Source): Partial<Usage> {
  return { memoryPeakBytes: number(read('memory.peak')), oomKills: keyed(read('memory.events'), 'oom_kill') };
}

/** `memory.stat` and the files around it. @see Documentation/admin-guide/cgroup-v2.rst of the kernel, Memory Interface Files */
export function memoryStatistics({ read }: Source): MemoryStatistics {
  const stat = valuesOf(read('memory.stat'));
  const events = valuesOf(read('memory.events'));
  const currentBytes = number(read('memory.current'));
  const inactiveFileBytes = stat.get('inactive_file');
  return {
    currentBytes,
    peakBytes: number(read('memory.peak')),
    limitBytes: limitOf(read('memory.max')),
    workingSetBytes: currentBytes === undefined || inactiveFileBytes === undefined ? undefined : Math.max(0, currentBytes - inactiveFileBytes),
    swapBytes: number(read('memory.swap.current')),
    swapPeakBytes: number(read('memory.swap.peak')),
    swapLimitBytes: limitOf(read('memory.swap.max')),
    anonBytes: stat.get('anon'),
    fileBytes: stat.get('file'),
    inactiveFileBytes,
    shmemBytes: stat.get('shmem'),
    kernelBytes: stat.get('kernel'),
    slabBytes: stat.get('slab'),
    sockBytes: stat.get('sock'),
    pgfault: stat.get('pgfault'),
    pgmajfault: stat.get('pgmajfault'),
    events: {
      low: events.get('low'),
      high: events.get('high'),
      max: events.get('max'),
      oom: events.get('oom'),
      oomKill: events.get('oom_kill'),
      oomGroupKill: events.get('oom_group_kill'),
    },
  };
}
