import type { Pressures } from './pressure.js';

/**
 * All that the kernel tells of a group, by controller. A controller that the group has not, or of which nothing can be read, is `undefined`; so is a single figure
 * that this kernel does not tell. Nothing is ever 0 for not being known. A number above 2^53 is the nearest one that there is.
 */
export interface Statistics {
  readonly cpu: CpuStatistics | undefined;
  readonly memory: MemoryStatistics | undefined;
  readonly pids: PidsStatistics | undefined;
  /** One for each block device that it has used. */
  readonly io: readonly IoStatistics[] | undefined;
  readonly cpuset: CpusetStatistics | undefined;
  /** One for each size of huge pages. */
  readonly hugetlb: readonly HugetlbStatistics[] | undefined;
  /** One for each device. */
  readonly rdma: readonly RdmaStatistics[] | undefined;
  /** One for each resource that the misc controller knows: `sev`, `sgx_epc`, … */
  readonly misc: readonly MiscStatistics[] | undefined;
  /** Version 2 only. */
  readonly pressure: Pressures | undefined;
}

/** Processor time. */
export interface CpuStatistics {
  readonly usageMicroseconds: number | undefined;
  readonly userMicroseconds: number | undefined;
  readonly systemMicroseconds: number | undefined;
  /** How many periods of its quota there were in which something ran. */
  readonly periods: number | undefined;
  /** In how many of these it used its quota up, and waited. */
  readonly throttledPeriods: number | undefined;
  readonly throttledMicroseconds: number | undefined;
  /** In how many periods it used more than its quota, saved from earlier ones. */
  readonly bursts: number | undefined;
  readonly burstMicroseconds: number | undefined;
}

/** Memory, with that of the groups below. */
export interface MemoryStatistics {
  /** Page cache included. */
  readonly currentBytes: number | undefined;
  readonly peakBytes: number | undefined;
  readonly limitBytes: number | 'max' | undefined;
  /** What it cannot do without: current, without the file pages that have not been used of late. */
  readonly workingSetBytes: number | undefined;
  /** What is swapped out. */
  readonly swapBytes: number | undefined;
  readonly swapPeakBytes: number | undefined;
  /** Of swap alone, on both versions. */
  readonly swapLimitBytes: number | 'max' | undefined;
  readonly anonBytes: number | undefined;
  /** Page cache, with shared memory and tmpfs. */
  readonly fileBytes: number | undefined;
  readonly inactiveFileBytes: number | undefined;
  readonly shmemBytes: number | undefined;
  readonly kernelBytes: number | undefined;
  readonly slabBytes: number | undefined;
  /** Buffers of network connections. */
  readonly sockBytes: number | undefined;
  /** Page faults. */
  readonly pgfault: number | undefined;
  /** Page faults that waited for a disk. */
  readonly pgmajfault: number | undefined;
  readonly events: MemoryEvents;
}

/** How often something has happened to the memory of a group, or of one below. */
export interface MemoryEvents {
  /** Memory was taken from it although it had less than `memory.low`. */
  readonly low: number | undefined;
  /** It was made to wait for being above `memory.high`. */
  readonly high: number | undefined;
  /** It was about to exceed its limit. On version 1: `memory.failcnt`. */
  readonly max: number | undefined;
  /** It could not be given memory. */
  readonly oom: number | undefined;
  /** Processes that were killed for lack of memory. */
  readonly oomKill: number | undefined;
  /** Times that the whole group was killed (`memory.oom.group`). */
  readonly oomGroupKill: number | undefined;
}

/** Processes and threads. */
export interface PidsStatistics {
  readonly current: number | undefined;
  readonly peak: number | undefined;
  readonly max: number | 'max' | undefined;
  /** How often a new one was refused for the limit. */
  readonly maxHits: number | undefined;
}

/** What was read from, written to and discarded on a block device. */
export interface IoStatistics {
  /** Its numbers: `8:0`. */
  readonly device: string;
  readonly readBytes: number | undefined;
  readonly writeBytes: number | undefined;
  readonly discardBytes: number | undefined;
  readonly readOperations: number | undefined;
  readonly writeOperations: number | undefined;
  readonly discardOperations: number | undefined;
}

/** Where it can run. */
export interface CpusetStatistics {
  /** The processors' numbers. */
  readonly effectiveCpus: readonly number[] | undefined;
  /** The memory nodes' numbers. */
  readonly effectiveMemoryNodes: readonly number[] | undefined;
}

/** Huge pages of one size. */
export interface HugetlbStatistics {
  /** As the kernel writes it: `2MB`. */
  readonly pageSize: string;
  readonly currentBytes: number | undefined;
  /** Version 1 only. */
  readonly peakBytes: number | undefined;
  readonly limitBytes: number | 'max' | undefined;
  /** How often one was refused for the limit. */
  readonly limitHits: number | undefined;
}

/** What it holds of an RDMA device. */
export interface RdmaStatistics {
  readonly device: string;
  readonly hcaHandles: number | undefined;
  readonly hcaHandlesMax: number | 'max' | undefined;
  readonly hcaObjects: number | undefined;
  readonly hcaObjectsMax: number | 'max' | undefined;
}

/** What it holds of a resource of which there are few. */
export interface MiscStatistics {
  readonly resource: string;
  readonly current: number | undefined;
  readonly max: number | 'max' | undefined;
  /** How often more was refused for the limit. */
  readonly maxHits: number | undefined;
}
