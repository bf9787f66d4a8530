export type {
  LinuxBlockIO,
  LinuxCpu,
  LinuxDeviceCgroup,
  LinuxHugepageLimit,
  LinuxInterfacePriority,
  LinuxMemory,
  LinuxNetwork,
  LinuxPids,
  LinuxRdma,
  LinuxResources,
  LinuxThrottleDevice,
  LinuxWeightDevice,
} from '@ctr/cgroups';
export type { LinuxCapabilities } from './capabilities.js';
export type { Config } from './config.js';
export type { LinuxDevice } from './device.js';
export type { CpuAffinity } from './exec-cpu-affinity.js';
export type { Hook, Hooks } from './hooks.js';
export type { LinuxIdMapping } from './id-mappings.js';
export type { LinuxIntelRdt } from './intel-rdt.js';
export type { LinuxIoPriority } from './io-priority.js';
export type { Linux, LinuxRootfsPropagation } from './linux.js';
export type { LinuxMemoryPolicy } from './memory-policy.js';
export type { Mount } from './mount.js';
export type { LinuxNamespace, LinuxNamespaceType } from './namespaces.js';
export type { LinuxNetDevice } from './net-device.js';
export type { LinuxPersonality } from './personality.js';
export type { ConsoleSize, Process } from './process.js';
export type { PosixRlimit } from './rlimits.js';
export type { Root } from './root.js';
export type { Scheduler } from './scheduler.js';
export type { LinuxSeccomp, LinuxSeccompArg, LinuxSyscall } from './seccomp.js';
export type { LinuxTimeOffset, LinuxTimeOffsets } from './time-offsets.js';
export type { User } from './user.js';
