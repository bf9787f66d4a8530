import type { DeviceRule } from './device-rules.js';

/**
 * What a group of processes may use. What is not given is not limited. Each key names its unit; behind the description stand the files of the kernel, on version 1 and on version 2.
 * A limit that the version of a controller, or the kernel, does not have is an error that says so, never a limit that is not there.
 */
export interface Limits {
  /** How many processes and threads there may be at once: 1 to 4194304, or `'max'` for no limit. The `clone` above it fails with EAGAIN. v1 and v2: `pids.max`. */
  readonly pids?: number | 'max';

  /**
   * How much memory, page cache included, in bytes: 4096 to 2^53 - 1, or `'max'`. The kernel rounds down to pages, and kills when it can free nothing.
   * v1: `memory.limit_in_bytes`; v2: `memory.max`.
   */
  readonly memoryBytes?: number | 'max';
  /**
   * How much may be swapped out, in bytes beside the memory: 0 (nothing) to 2^53 - 1, or `'max'`. v2: `memory.swap.max`.
   * v1 counts memory and swap together, so a number takes a number of `memoryBytes`: `memory.memsw.limit_in_bytes` is the sum of both.
   */
  readonly swapBytes?: number | 'max';
  /**
   * How much memory is left to the group while others can give theirs, in bytes: 0 to 2^53 - 1, or `'max'`.
   * v1: `memory.soft_limit_in_bytes`, above which it is the first to give, where `'max'` is the default; v2: `memory.low`, below which it is the last, where 0 is the default.
   */
  readonly memoryReservationBytes?: number | 'max';
  /** Above so many bytes the group is slowed down and its memory taken back, but nothing is killed: 0 to 2^53 - 1, or `'max'`. v2 alone: `memory.high`. */
  readonly memoryHighBytes?: number | 'max';
  /** So many bytes are taken back only if nothing else is left to take: 0 to 2^53 - 1, or `'max'`. v2 alone: `memory.low`; `memoryReservationBytes` is the same on both. */
  readonly memoryLowBytes?: number | 'max';
  /** So many bytes are never taken back: 0 to 2^53 - 1, or `'max'`. v2 alone: `memory.min`. */
  readonly memoryMinBytes?: number | 'max';
  /** How readily memory is swapped out rather than page cache dropped: 0 to 200. v1 alone: `memory.swappiness` (kernels before 6.0 may take 100 at most). */
  readonly memorySwappiness?: number;
  /** Whether all of the group is killed where one process would be. v2 alone: `memory.oom.group`; `false` is how v1 is. */
  readonly memoryOomGroup?: boolean;
  /** Whether the kernel kills for lack of memory; with `false` the processes wait until there is some. v1 alone: `memory.oom_control`; `true` is how v2 is. */
  readonly memoryOomKill?: boolean;
  /** Memory of the kernel alone. No kernel since 5.16 limits it: it is part of `memoryBytes`. `'max'`, which is how it is, or an error. */
  readonly kernelMemoryBytes?: number | 'max';
  /** Memory of TCP's buffers, in bytes: 0 to 2^53 - 1, or `'max'`. v1 alone: `memory.kmem.tcp.limit_in_bytes`; on v2 it is part of `memoryBytes`. */
  readonly kernelTcpMemoryBytes?: number | 'max';
  /** Whether the groups below count, too. `true`, which is how both versions are since kernel 5.11, or an error. */
  readonly memoryUseHierarchy?: boolean;
  /** Whether a change of the memory limits is refused that is below what the group uses now, rather than to have the kernel take it back, or kill. A new group uses nothing. */
  readonly memoryCheckBeforeUpdate?: boolean;

  /**
   * How much time of all processors together, in processors: 0.01 to 175921860 (`1.5`: 150 ms in each 100 ms), or `'max'`. The period is 100 ms, or `cpuPeriodMicroseconds`.
   * v1: `cpu.cfs_quota_us`; v2: `cpu.max`.
   */
  readonly cpuCores?: number | 'max';
  /** The share of processor time where there is not enough for all: 1 to 10000. The kernel's default is 100. v1: `cpu.shares` (1024 for 100); v2: `cpu.weight`. */
  readonly cpuWeight?: number;
  /**
   * The same on the scale of version 1, as docker's and the runtime-spec's: 2 to 262144, with 1024 as the default. v1: `cpu.shares`.
   * v2: `cpu.weight`, by the curve that runc and crun take since 2025, on which 2, 1024 and 262144 are 1, 100 and 10000.
   */
  readonly cpuShares?: number;
  /** The time in each period, in microseconds: 1000 to 17592186044415, or `'max'`. `cpuCores` says the same without a period. v1: `cpu.cfs_quota_us`; v2: `cpu.max`. */
  readonly cpuQuotaMicroseconds?: number | 'max';
  /** The period of the quota, in microseconds: 1000 to 1000000. The kernel's default is 100000. v1: `cpu.cfs_period_us`; v2: `cpu.max`. */
  readonly cpuPeriodMicroseconds?: number;
  /** How much unused time may be added to the quota of one period, in microseconds: 0 to the quota. v1: `cpu.cfs_burst_us`; v2: `cpu.max.burst`. */
  readonly cpuBurstMicroseconds?: number;
  /** Whether the group runs only where nothing else wants to; it has no weight then. v1 and v2, since kernel 5.15: `cpu.idle`. */
  readonly cpuIdle?: boolean;
  /** Time for real-time processes in each period, in microseconds: 0 (the kernel's default) to the period, at most 17592186044. The group above has to have it. v1 alone: `cpu.rt_runtime_us`. */
  readonly cpuRealtimeRuntimeMicroseconds?: number;
  /** The period for real-time processes, in microseconds: 1 to 2^53 - 1. The kernel's default is 1000000. v1 alone: `cpu.rt_period_us`. */
  readonly cpuRealtimePeriodMicroseconds?: number;

  /** On which processors it may run, as a list: `'0-3,5'`. v1 and v2: `cpuset.cpus`; on v1 a group without gets those of the one above. */
  readonly cpus?: string;
  /** From which memory nodes it gets its memory, as a list: `'0'`. v1 and v2: `cpuset.mems`; on v1 a group without gets those of the one above. */
  readonly memoryNodes?: string;

  /**
   * The share of the disks' time: 1 to 10000. The kernel's default is 100. v2: `io.weight` and `io.bfq.weight`, as far as the kernel has them. v1: `blkio.bfq.weight`.
   * BFQ's own scale ends at 1000: what is above 100 is brought into it as systemd does.
   */
  readonly ioWeight?: number;
  /**
   * The same on the scale of version 1, as docker's and the runtime-spec's: 10 to 1000. v1: `blkio.bfq.weight`; v2: `io.bfq.weight` as it is, and
   * `io.weight` by the line of runc and crun, on which 10 and 1000 are 1 and 10000.
   */
  readonly blkioWeight?: number;
  /** A weight against the groups below: 10 to 1000. It was CFQ's, which no kernel since 5.0 has: `blkio.leaf_weight` of v1, an error elsewhere. */
  readonly ioLeafWeight?: number;
  /** What holds for single disks. */
  readonly ioDevices?: readonly IoDevice[];

  /**
   * How many bytes of huge pages of each size, used or reserved: 0 to 2^53 - 1, or `'max'`; sizes as the kernel writes them: `{ '2MB': 2 ** 30 }`.
   * v1: `hugetlb.SIZE.limit_in_bytes` and `hugetlb.SIZE.rsvd.limit_in_bytes`; v2: `hugetlb.SIZE.max` and `hugetlb.SIZE.rsvd.max`.
   */
  readonly hugepages?: Readonly<Record<string, number | 'max'>>;
  /** What of RDMA devices, by their names: 0 to 2147483647 handles and objects, or `'max'`. v1 and v2: `rdma.max`. */
  readonly rdma?: Readonly<Record<string, RdmaLimit>>;
  /** The class of what it sends, for tc(8): 0 to 4294967295 (`0xAAAABBBB` is `AAAA:BBBB`). v1 alone: `net_cls.classid`. */
  readonly networkClassId?: number;
  /** The priority of what it sends by each interface: 0 to 4294967295. v1 alone: `net_prio.ifpriomap`. */
  readonly networkPriorities?: Readonly<Record<string, number>>;
  /**
   * Which devices it may use, by rules of which the last one that matches counts. What none is about is allowed, so most lists begin with `{ allow: false, type: 'all' }`.
   * v1: `devices.deny` and `devices.allow`; v2: a BPF program, which takes root's rights over the whole system.
   */
  readonly devices?: readonly DeviceRule[];
  /** Whether the kernel measures for how long the processes wait: it costs a little. v2 alone, since kernel 6.1: `cgroup.pressure`. */
  readonly pressure?: boolean;
  /** How much of what `misc.capacity` of the root group lists: 0 to 2^53 - 1, or `'max'`. v1 and v2: `misc.max`. */
  readonly misc?: Readonly<Record<string, number | 'max'>>;
  /** Files of version 2 by their names, and what is written to them, as it is: `{ 'memory.high': '64M' }`. They are written last, so they win. */
  readonly unified?: Readonly<Record<string, string>>;
}

/** What a group may do with one disk. The numbers are 1 to 2^53 - 1 (operations: 1 to 4294967295), or `'max'`. */
export interface IoDevice {
  /** The whole disk, not a partition: `'8:0'`, as `lsblk` prints it, or its numbers. */
  readonly device: string | { readonly major: number; readonly minor: number };
  /** As {@link Limits.ioWeight}: 1 to 10000. v1: `blkio.bfq.weight_device`; v2: `io.weight` and `io.bfq.weight`. */
  readonly weight?: number;
  /** As {@link Limits.blkioWeight}: 10 to 1000. The same files. */
  readonly blkioWeight?: number;
  /** As {@link Limits.ioLeafWeight}: 10 to 1000. `blkio.leaf_weight_device` of v1. */
  readonly leafWeight?: number;
  /** v1: `blkio.throttle.read_bps_device`; v2: `rbps` of `io.max`. */
  readonly readBytesPerSecond?: number | 'max';
  /** v1: `blkio.throttle.write_bps_device`; v2: `wbps` of `io.max`. */
  readonly writeBytesPerSecond?: number | 'max';
  /** v1: `blkio.throttle.read_iops_device`; v2: `riops` of `io.max`. */
  readonly readOperationsPerSecond?: number | 'max';
  /** v1: `blkio.throttle.write_iops_device`; v2: `wiops` of `io.max`. */
  readonly writeOperationsPerSecond?: number | 'max';
}

/** How much of one RDMA device. What is not given is not limited. */
export interface RdmaLimit {
  readonly hcaHandles?: number | 'max';
  readonly hcaObjects?: number | 'max';
}
