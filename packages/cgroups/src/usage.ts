import { checkOptions, quote } from '@ctr/syscall';

import type { Source, Stats, Usage } from './counter.js';
import { cpusetStatistics1, cpusetStatistics2 } from './cpuset-stats.js';
import { hugetlbStatistics1, hugetlbStatistics2 } from './hugetlb-stats.js';
import { miscStatistics } from './misc-stats.js';
import { pidsStatistics, pidsUsage } from './pids-stats.js';
import { pressuresOf } from './pressure.js';
import { rdmaStatistics } from './rdma-stats.js';
import { knownSource, sourceOf } from './source.js';
import type { CpuStatistics, HugetlbStatistics, Statistics } from './statistics.js';
import { cpuacctStatistics, cpuacctUsage, cpuStatistics as cpuStatistics1 } from './v1/cpu-stats.js';
import { ioStatistics as ioStatistics1 } from './v1/io-stats.js';
import { memoryStatistics as memoryStatistics1, memoryUsage as memoryUsage1 } from './v1/memory-stats.js';
import { cpuStatistics as cpuStatistics2, cpuUsage } from './v2/cpu-stats.js';
import { ioStatistics as ioStatistics2 } from './v2/io-stats.js';
import { memoryStatistics as memoryStatistics2, memoryUsage as memoryUsage2 } from './v2/memory-stats.js';

/** A directory of a group, and what can be read there. */
export interface Counted {
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
  readonly directory: string;
}

const noUsage: Usage = { cpuMicroseconds: undefined, memoryPeakBytes: undefined, oomKills: undefined, pidsPeak: undefined, pidsMaxHits: undefined };
const noCpu: CpuStatistics = {
  usageMicroseconds: undefined,
  userMicroseconds: undefined,
  systemMicroseconds: undefined,
  periods: undefined,
  throttledPeriods: undefined,
  throttledMicroseconds: undefined,
  bursts: undefined,
  burstMicroseconds: undefined,
};
const nothing: Statistics = {
  cpu: undefined,
  memory: undefined,
  pids: undefined,
  io: undefined,
  cpuset: undefined,
  hugetlb: undefined,
  rdma: undefined,
  misc: undefined,
  pressure: undefined,
};

const usages: Readonly<Record<1 | 2, Readonly<Record<string, (source: Source) => Partial<Usage>>>>> = {
  1: { cpuacct: cpuacctUsage, memory: memoryUsage1, pids: pidsUsage },
  2: { cpu: cpuUsage, memory: memoryUsage2, pids: pidsUsage },
};

/** What of the statistics a file that is there tells of. */
type Reader = readonly [part: keyof Statistics, file: string | undefined, read: (source: Source, known: Statistics) => Partial<Statistics>];

const readers: Readonly<Record<1 | 2, readonly Reader[]>> = {
  1: [
    ['cpu', 'cpuacct.usage', (source, { cpu }) => ({ cpu: together(cpu, cpuacctStatistics(source)) })],
    ['cpu', 'cpu.stat', (source, { cpu }) => ({ cpu: together(cpu, cpuStatistics1(source)) })],
    ['memory', 'memory.usage_in_bytes', (source) => ({ memory: memoryStatistics1(source) })],
    ['pids', 'pids.current', (source) => ({ pids: pidsStatistics(source) })],
    ['io', 'blkio.throttle.io_service_bytes', (source) => ({ io: ioStatistics1(source) })],
    ['cpuset', 'cpuset.effective_cpus', (source) => ({ cpuset: cpusetStatistics1(source) })],
    ['hugetlb', undefined, (source) => pageSizesOf(hugetlbStatistics1(source))],
    ['rdma', 'rdma.current', (source) => ({ rdma: rdmaStatistics(source) })],
    ['misc', 'misc.current', (source) => ({ misc: miscStatistics(source) })],
  ],
  2: [
    ['cpu', 'cpu.stat', (source, { cpu }) => ({ cpu: together(cpu, cpuStatistics2(source)) })],
    ['memory', 'memory.current', (source) => ({ memory: memoryStatistics2(source) })],
    ['pids', 'pids.current', (source) => ({ pids: pidsStatistics(source) })],
    ['io', 'io.stat', (source) => ({ io: ioStatistics2(source) })],
    ['cpuset', 'cpuset.cpus.effective', (source) => ({ cpuset: cpusetStatistics2(source) })],
    ['hugetlb', undefined, (source) => pageSizesOf(hugetlbStatistics2(source))],
    ['rdma', 'rdma.current', (source) => ({ rdma: rdmaStatistics(source) })],
    ['misc', 'misc.current', (source) => ({ misc: miscStatistics(source) })],
    ['pressure', 'cpu.pressure', ({ read }) => ({ pressure: pressuresOf(read) })],
  ],
};
const parts = Object.keys(nothing) as (keyof Statistics)[];

/** What is read. */
export interface StatisticsOptions {
  /** Only these, in less time; the others are `undefined`. @default all */
  readonly only?: readonly (keyof Statistics)[];
}

/**
 * All that the kernel tells of a group. What goes while it is read, with its group, is `undefined`.
 *
 * @param directories of one group, one in each hierarchy
 * @see Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/ of the kernel
 * @example
 * ```ts
 * import { createGroup, readStatistics } from '@ctr/cgroups';
 * const group = await createGroup(`/ctr/counted-${process.pid}`, { memoryBytes: 64 * 2 ** 20 });
 * const { memory, pressure } = readStatistics(group.directories, { only: ['memory', 'pressure'] });
 * console.log(memory?.workingSetBytes, memory?.events.oomKill, pressure?.memory?.some?.avg10);
 * await group.remove();
 * ```
 */
export function readStatistics(directories: readonly string[], options: StatisticsOptions = {}): Statistics {
  checkOptions('readStatistics', options, ['only']);
  const { only = parts } = options;
  for (const part of only) if (!parts.includes(part)) throw new TypeError(`there are no statistics of ${quote(part)}: ${parts.join(', ')}`);
  let statistics = nothing;
  for (const directory of directories) {
    const source = sourceOf(directory);
    const there = new Set(source.files);
    for (const [part, file, read] of readers[there.has('cgroup.controllers') ? 2 : 1]) {
      if (!only.includes(part) || (file !== undefined && !there.has(file))) continue;
      statistics = { ...statistics, ...read(source, statistics) };
    }
  }
  return statistics;
}

/** What a group has used, and uses now. */
export function statsOf(directories: readonly string[]): Stats {
  const statistics = readStatistics(directories);
  const { cpu, memory, pids } = statistics;
  return {
    ...statistics,
    cpuMicroseconds: cpu?.usageMicroseconds,
    cpuUserMicroseconds: cpu?.userMicroseconds,
    cpuSystemMicroseconds: cpu?.systemMicroseconds,
    memoryPeakBytes: memory?.peakBytes,
    memoryCurrentBytes: memory?.currentBytes,
    oomKills: memory?.events.oomKill,
    pidsPeak: pids?.peak,
    pidsCurrent: pids?.current,
    pidsMaxHits: pids?.maxHits,
  };
}

/**
 * What a group has used, read at once: to be taken when its last process has ended, right before it is removed.
 *
 * @param directories of one group, one in each hierarchy
 * @example
 * ```ts
 * import { groupName, planGroup, readUsage } from '@ctr/cgroups';
 * const { directories } = planGroup(groupName(), { pids: 20 });
 * const { pidsPeak } = readUsage(directories); // undefined: there is no such group yet
 * ```
 */
export function readUsage(directories: readonly string[]): Usage {
  return usageOf(directories.map(inspect));
}

/** {@link readUsage} of directories whose controllers are known. */
export function usageOf(groups: readonly Counted[]): Usage {
  let usage = noUsage;
  for (const { version, controllers, directory } of groups) {
    const source = knownSource(directory);
    // cpu.stat of v2 is there without the controller.
    for (const name of version === 2 ? new Set([...controllers, 'cpu']) : controllers) usage = { ...usage, ...usages[version][name]?.(source) };
  }
  return usage;
}

/** Which controllers a group's directory has, by the names of its files. */
function inspect(directory: string): Counted {
  const { files } = sourceOf(directory);
  const version = files.includes('cgroup.controllers') ? 2 : 1;
  return { version, directory, controllers: [...new Set(files.map((file) => file.slice(0, file.indexOf('.'))))] };
}

function pageSizesOf(hugetlb: readonly HugetlbStatistics[]): Partial<Statistics> {
  return hugetlb.length > 0 ? { hugetlb } : {};
}

/** On v1 two controllers count processor time, and on a hybrid system the unified hierarchy does as well: each tells what the ones before it have not. */
function together(known: CpuStatistics | undefined, more: Partial<CpuStatistics>): CpuStatistics {
  const cpu: Record<keyof CpuStatistics, number | undefined> = { ...noCpu };
  for (const key of Object.keys(noCpu) as (keyof CpuStatistics)[]) cpu[key] = known?.[key] ?? more[key];
  return cpu;
}
