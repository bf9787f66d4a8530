export type { Stats, Usage } from './counter.js';
export {
  checkDeviceRules,
  formatDeviceRule,
  isDeviceAllowed,
  parseDeviceRule,
  type DeviceAccess,
  type DeviceRequest,
  type DeviceRule,
} from './device-rules.js';
export type { AddOptions } from './add.js';
export { delegate, type Delegate } from './delegate.js';
export { CgroupError, type CgroupErrorKind } from './error.js';
export { checkThawed, frozenBy } from './frozen.js';
export { collectGarbage, findByName, findGroups, type FindOptions, type FoundGroup } from './garbage.js';
export { gaugesOf, type Gauges } from './gauges.js';
export { createGroup, groupAt, limit, type Cgroup, type CreateOptions, type LimitOptions, type NestedOptions } from './group.js';
export { groupName, isOwnerAlive, parseGroupName, type GroupOwner } from './group-name.js';
export { hierarchyOf, parseLayout, readLayout, type CgroupLayout, type Hierarchy } from './layout.js';
export { checkLimits } from './check-limits.js';
export type { IoDevice, Limits, RdmaLimit } from './limits.js';
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
} from './linux-resources.js';
export { newDirectories, type Place } from './place.js';
export { removeMarked, type GroupMark } from './mark.js';
export { planGroup, type GroupOptions, type PlannedGroup } from './plan-group.js';
export { killMembers } from './kill.js';
export { removeGroup, removeSteps } from './remove.js';
export { limitsOfResources } from './resources.js';
export type { EventStream } from './event-stream.js';
export { watchEvents, type CgroupEvent, type CountedEventType, type EventOptions } from './events.js';
export { watchPressure, type PressureEvent, type PressureTrigger, type WatchPressureOptions } from './pressure-trigger.js';
export { readPressure, type Pressure, type PressureResource, type Pressures, type PressureShare } from './pressure.js';
export type {
  CpuStatistics,
  CpusetStatistics,
  HugetlbStatistics,
  IoStatistics,
  MemoryEvents,
  MemoryStatistics,
  MiscStatistics,
  PidsStatistics,
  RdmaStatistics,
  Statistics,
} from './statistics.js';
export { readStatistics, readUsage, type StatisticsOptions } from './usage.js';
export type { WaitOptions } from './wait.js';
