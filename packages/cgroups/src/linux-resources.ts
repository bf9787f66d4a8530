/**
 * `linux.resources` of an OCI runtime's configuration. What has 64 bits there may be a bigint.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#control-groups
 */
export interface LinuxResources {
  readonly devices?: readonly LinuxDeviceCgroup[];
  readonly memory?: LinuxMemory;
  readonly cpu?: LinuxCpu;
  readonly pids?: LinuxPids;
  readonly blockIO?: LinuxBlockIO;
  readonly hugepageLimits?: readonly LinuxHugepageLimit[];
  readonly network?: LinuxNetwork;
  /** By the name of the device. */
  readonly rdma?: Readonly<Record<string, LinuxRdma>>;
  /** Files of version 2, and what is written to them. */
  readonly unified?: Readonly<Record<string, string>>;
}

/** A rule about devices. */
export interface LinuxDeviceCgroup {
  readonly allow: boolean;
  /** All, character devices or block devices. @default 'a' */
  readonly type?: 'a' | 'b' | 'c' | '';
  /** -1, or none: all of them. */
  readonly major?: number;
  readonly minor?: number;
  /** Letters of `rwm`. @default all of them */
  readonly access?: string;
}

/** Memory, in bytes; -1 is no limit. */
export interface LinuxMemory {
  readonly limit?: number | bigint;
  readonly reservation?: number | bigint;
  /** Memory and swap together. */
  readonly swap?: number | bigint;
  readonly kernel?: number | bigint;
  readonly kernelTCP?: number | bigint;
  readonly swappiness?: number | bigint;
  readonly disableOOMKiller?: boolean;
  readonly useHierarchy?: boolean;
  readonly checkBeforeUpdate?: boolean;
}

/** Processors; times in microseconds. */
export interface LinuxCpu {
  readonly shares?: number | bigint;
  readonly quota?: number | bigint;
  readonly burst?: number | bigint;
  readonly period?: number | bigint;
  readonly realtimeRuntime?: number | bigint;
  readonly realtimePeriod?: number | bigint;
  /** A list: `0-3,5`. */
  readonly cpus?: string;
  readonly mems?: string;
  /** 1: it runs where nothing else wants to. */
  readonly idle?: number;
}

/** Processes and threads. */
export interface LinuxPids {
  readonly limit?: number | bigint;
}

/** Disks. */
export interface LinuxBlockIO {
  readonly weight?: number;
  readonly leafWeight?: number;
  readonly weightDevice?: readonly LinuxWeightDevice[];
  readonly throttleReadBpsDevice?: readonly LinuxThrottleDevice[];
  readonly throttleWriteBpsDevice?: readonly LinuxThrottleDevice[];
  readonly throttleReadIOPSDevice?: readonly LinuxThrottleDevice[];
  readonly throttleWriteIOPSDevice?: readonly LinuxThrottleDevice[];
}

/** The weight of one disk. */
export interface LinuxWeightDevice {
  readonly major: number;
  readonly minor: number;
  readonly weight?: number;
  readonly leafWeight?: number;
}

/** So much a second of one disk: bytes or operations. */
export interface LinuxThrottleDevice {
  readonly major: number;
  readonly minor: number;
  readonly rate: number | bigint;
}

/** Huge pages of one size. */
export interface LinuxHugepageLimit {
  /** As the kernel writes it: `2MB`. */
  readonly pageSize: string;
  /** In bytes. */
  readonly limit: number | bigint;
}

/** What is sent. */
export interface LinuxNetwork {
  readonly classID?: number;
  readonly priorities?: readonly LinuxInterfacePriority[];
}

/** The priority of what is sent by one interface. */
export interface LinuxInterfacePriority {
  readonly name: string;
  readonly priority: number;
}

/** What of one RDMA device. */
export interface LinuxRdma {
  readonly hcaHandles?: number;
  readonly hcaObjects?: number;
}
