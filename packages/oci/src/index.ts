export { hookNames } from './config/hooks.js';
export type {
  Config,
  ConsoleSize,
  CpuAffinity,
  Hook,
  Hooks,
  Linux,
  LinuxBlockIO,
  LinuxCapabilities,
  LinuxCpu,
  LinuxDevice,
  LinuxDeviceCgroup,
  LinuxHugepageLimit,
  LinuxIdMapping,
  LinuxIntelRdt,
  LinuxInterfacePriority,
  LinuxIoPriority,
  LinuxMemory,
  LinuxMemoryPolicy,
  LinuxNamespace,
  LinuxNamespaceType,
  LinuxNetDevice,
  LinuxNetwork,
  LinuxPersonality,
  LinuxPids,
  LinuxRdma,
  LinuxResources,
  LinuxRootfsPropagation,
  LinuxSeccomp,
  LinuxSeccompArg,
  LinuxSyscall,
  LinuxThrottleDevice,
  LinuxTimeOffset,
  LinuxTimeOffsets,
  LinuxWeightDevice,
  Mount,
  PosixRlimit,
  Process,
  Root,
  Scheduler,
  User,
} from './config/types.js';
export { defaultConfig, type DefaultConfigOptions } from './default-config.js';
export { features, type Features, type LinuxFeatures } from './features.js';
export { JsonError } from './json/json-error.js';
export { parseJson, type JsonBounds, type JsonObject, type JsonValue } from './json/parse-json.js';
export { mountOptionNames, parseMountOptions, type MountAttributeMasks, type MountOptions } from './mount-options.js';
export { readConfigFile } from './life-cycle/config-file.js';
export { ConfigError, parseConfig, parseProcess, parseResources, type ParseOptions } from './parse-config.js';
export { problemText, type Problem } from './schema/problem.js';
export { containerStatuses, type ContainerProcessState, type ContainerStatus, type State } from './state.js';
export { supportedFields, type Support, type SupportedField } from './support.js';
export { cgroupManagerOf } from './cgroup-manager.js';
export { toSpec, type Spec, type SpecOptions } from './to-spec.js';
export { validate, validateProcess, validateResources } from './validate.js';
export { OCI_VERSION, OCI_VERSION_MIN } from './version.js';
export { OciError, type OciErrorKind } from './error.js';
export { create, type CreateOptions } from './life-cycle/create.js';
export { remove, type DeleteOptions } from './life-cycle/delete.js';
export { stats, type StatsEvent } from './life-cycle/events.js';
export { exec, type ExecOptions } from './life-cycle/exec.js';
export { kill, type KillOptions, type SignalWord } from './life-cycle/kill.js';
export { list, ps, type ContainerList } from './life-cycle/list.js';
export { pause, resume } from './life-cycle/pause.js';
export type { RootOptions } from './life-cycle/root-options.js';
export { start, type StartOptions } from './life-cycle/start.js';
export { state, type ExtendedState } from './life-cycle/state-of.js';
export { update } from './life-cycle/update.js';
export type { OciStdio, PipedChild } from './life-cycle/with-pipes.js';
export { main } from './cli/main.js';
