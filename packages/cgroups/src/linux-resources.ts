/**
 * `linux.resources` of an OCI runtime's configuration: limits that control groups keep. What has 64 bits there may be a bigint.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#control-groups
 */
export interface LinuxResources {
  /** Which devices may be used: applied in this order, so that the last that is about a device counts. */
  readonly devices?: readonly LinuxDeviceCgroup[];
  readonly memory?: LinuxMemory;
  readonly cpu?: LinuxCpu;
  readonly pids?: LinuxPids;
  readonly blockIO?: LinuxBlockIO;
  readonly hugepageLimits?: readonly LinuxHugepageLimit[];
  readonly network?: LinuxNetwork;
  /** By the name of the device. */
  readonly rdma?: Readonly<Record<string, LinuxRdma>>;
  /** What is written to files of cgroups v2, by their names: `{ "io.max": "8:0 wbps=1048576" }`. 1.1 */
  readonly unified?: Readonly<Record<string, string>>;
}

/** Whether some devices may be used. */
export interface LinuxDeviceCgroup {
  readonly allow: boolean;
  /** `a` is all, `c` of characters, `b` of blocks. @default 'a' */
  readonly type?: 'a' | 'b' | 'c' | '';
  /** -1 is any. @default any */
  readonly major?: number;
  readonly minor?: number;
  /** Of `r` (read), `w` (write) and `m` (mknod). @default all of them */
  readonly access?: string;
}

/** Limits of memory, in bytes; -1 is none, and 0 leaves what is. */
export interface LinuxMemory {
  readonly limit?: number | bigint;
  /** What is kept when memory gets short. */
  readonly reservation?: number | bigint;
  /** Of memory and swap together. */
  readonly swap?: number | bigint;
  /** @deprecated kernels since 5.4 do not have it */
  readonly kernel?: number | bigint;
  /** Of cgroups v1 only. */
  readonly kernelTCP?: number | bigint;
  /** From 0 to 100. The largest number of 64 bits leaves what is. */
  readonly swappiness?: number | bigint;
  /** Of cgroups v1 only. */
  readonly disableOOMKiller?: boolean;
  /** Of cgroups v1 only. */
  readonly useHierarchy?: boolean;
  /** Refuse to lower the limit below what is in use. 1.1 */
  readonly checkBeforeUpdate?: boolean;
}

/** Limits of processor time; 0 leaves what is. Times are in microseconds. */
export interface LinuxCpu {
  /** The weight beside other groups: from 2 to 262144. */
  readonly shares?: number | bigint;
  /** What the group may use in a period; -1 is no limit. */
  readonly quota?: number | bigint;
  /** What it may save up and use in a period besides. 1.1 */
  readonly burst?: number | bigint;
  /** From 1000 to 1000000. */
  readonly period?: number | bigint;
  /** Of cgroups v1 only. */
  readonly realtimeRuntime?: number | bigint;
  readonly realtimePeriod?: number | bigint;
  /** Which processors: `0-3,7`. */
  readonly cpus?: string;
  /** Which nodes of memory: `0-1`. */
  readonly mems?: string;
  /** 1 lets the group run when nothing else wants to. 1.1 */
  readonly idle?: number;
}

/** A limit of the number of processes and threads. */
export interface LinuxPids {
  /** -1 is none; 0 is a limit, too. @default none */
  readonly limit?: number | bigint;
}

/** Limits of input and output on block devices. Of a device the last entry counts. */
export interface LinuxBlockIO {
  /** From 10 to 1000; 0 leaves what is. */
  readonly weight?: number;
  /** Beside the group's own children: of old kernels only. */
  readonly leafWeight?: number;
  readonly weightDevice?: readonly LinuxWeightDevice[];
  readonly throttleReadBpsDevice?: readonly LinuxThrottleDevice[];
  readonly throttleWriteBpsDevice?: readonly LinuxThrottleDevice[];
  readonly throttleReadIOPSDevice?: readonly LinuxThrottleDevice[];
  readonly throttleWriteIOPSDevice?: readonly LinuxThrottleDevice[];
}

/** The weight of a group on one device. */
export interface LinuxWeightDevice {
  readonly major: number;
  readonly minor: number;
  readonly weight?: number;
  readonly leafWeight?: number;
}

/** How much a group may read or write on a device in a second: bytes, or operations. */
export interface LinuxThrottleDevice {
  readonly major: number;
  readonly minor: number;
  /** 0 is no limit. */
  readonly rate: number | bigint;
}

/** A limit of huge pages of one size. */
export interface LinuxHugepageLimit {
  /** As the kernel writes it: `64KB`, `2MB`, `1GB`. */
  readonly pageSize: string;
  /** In bytes. */
  readonly limit: number | bigint;
}

/** What the packets of a container are marked with. Of cgroups v1 only. */
export interface LinuxNetwork {
  readonly classID?: number;
  readonly priorities?: readonly LinuxInterfacePriority[];
}

/** The priority of packets that leave by a network device. */
export interface LinuxInterfacePriority {
  readonly name: string;
  readonly priority: number;
}

/** Limits of an RDMA device. One of them has to be there. */
export interface LinuxRdma {
  readonly hcaHandles?: number;
  readonly hcaObjects?: number;
}
