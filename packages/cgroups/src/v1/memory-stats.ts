import { keyed, limitOf, number, valuesOf, type Source, type Usage } from '../counter.js';
import type { MemoryStatistics } from '../statistics.js';

/** `memory.max_usage_in_bytes`, and how many processes were killed. @see Documentation/admin-guide/cgroup-v1/memory.rst of the kernel */
export function memoryUsage(source: Source): Partial<Usage> {
  return { memoryPeakBytes: number(source.read('memory.max_usage_in_bytes')), oomKills: oomKills(source) };
}

/** `memory.stat`, whose `total_…` lines count the groups below as well, and the files around it. */
export function memoryStatistics(source: Source): MemoryStatistics {
  const { read } = source;
  const stat = valuesOf(read('memory.stat'));
  const total = (key: string): number | undefined => stat.get(`total_${key}`) ?? stat.get(key);
  const currentBytes = number(read('memory.usage_in_bytes'));
  const limitBytes = limitOf(read('memory.limit_in_bytes'));
  const inactiveFileBytes = total('inactive_file');
  return {
    currentBytes,
    peakBytes: number(read('memory.max_usage_in_bytes')),
    limitBytes,
    workingSetBytes: currentBytes === undefined || inactiveFileBytes === undefined ? undefined : Math.max(0, currentBytes - inactiveFileBytes),
    swapBytes: total('swap'),
    swapPeakBytes: undefined,
    swapLimitBytes: difference(limitOf(read('memory.memsw.limit_in_bytes')), limitBytes),
    anonBytes: total('rss'),
    fileBytes: total('cache'),
    inactiveFileBytes,
    shmemBytes: total('shmem'),
    kernelBytes: number(read('memory.kmem.usage_in_bytes')),
    slabBytes: undefined,
    sockBytes: number(read('memory.kmem.tcp.usage_in_bytes')),
    pgfault: total('pgfault'),
    pgmajfault: total('pgmajfault'),
    events: {
      low: undefined,
      high: undefined,
      max: number(read('memory.failcnt')),
      oom: undefined,
      oomKill: oomKills(source),
      oomGroupKill: undefined,
    },
  };
}

/** The limit of memory and swap together, without that of memory. */
function difference(together: number | 'max' | undefined, memory: number | 'max' | undefined): number | 'max' | undefined {
  if (typeof together !== 'number') return together;
  return typeof memory === 'number' ? Math.max(0, together - memory) : undefined;
}

/** v1 counts those of a group by itself: a limit of the one above may have killed in a group below. */
function oomKills({ read, readBelow }: Source): number | undefined {
  const own = keyed(read('memory.oom_control'), 'oom_kill');
  if (own === undefined) return undefined;
  return readBelow('memory.oom_control').reduce((sum, text) => sum + (keyed(text, 'oom_kill') ?? 0), own);
}
