export { appArmorProfile, type LsmOptions } from './apparmor.js';
export { boundingSet, capabilities, capabilitySets, keepCapabilities, type AllCapabilitySets, type CapabilitySets } from './capabilities.js';
export { capabilityNames, defaultCapabilities, parseCapability, type Capability } from './capability.js';
export { allProcessors, cpuAffinity } from './cpu-affinity.js';
export { dumpable } from './dumpable.js';
export { ioPriority, type IoPriority } from './io-priority.js';
export { newSessionKeyring } from './keyring.js';
export { lsmStatus, type LsmStatus } from './lsm-status.js';
export { noNewPrivs } from './no-new-privs.js';
export { oomScoreAdj, type OomScoreAdjOptions } from './oom-score-adj.js';
export { parentDeathSignal } from './parent-death-signal.js';
export { personality } from './personality.js';
export { type Proc } from './proc.js';
export { readCapabilities, type ProcessRights } from './read-capabilities.js';
export { rlimits, type Rlimit, type Rlimits, type RlimitValue } from './rlimits.js';
export { scheduler, type Scheduler } from './scheduler.js';
export { secureBits, type SecureBit } from './securebits.js';
export { selinuxKeyLabel, selinuxLabel } from './selinux.js';
export { becomeUser, type BecomeUser } from './user.js';
export { landlockAbi, landlockUnavailable } from './landlock/abi.js';
export { landlock, planLandlock, type LandlockPlan } from './landlock/landlock.js';
export { type LandlockHandled, type LandlockLog, type LandlockOptions } from './landlock/options.js';
export { landlockGroups, type LandlockAccess, type LandlockFeature, type LandlockGroup } from './landlock/rights.js';
export { type LandlockFd, type LandlockPath, type LandlockPorts, type LandlockRules, type LandlockScope } from './landlock/rules.js';
export { handOverListener } from './notify/hand-over-listener.js';
export { type AddFdOptions, type Notification } from './notify/notification.js';
export { Notifier, type NotifierOptions } from './notify/notifier.js';
export { type SeccompAction, type SeccompVerdict } from './seccomp/action.js';
export { type SeccompArchitecture } from './seccomp/architecture.js';
export { compileFilter, type CompileFilterOptions, type SeccompFilter } from './seccomp/compile-filter.js';
export { defaultProfile } from './seccomp/default-profile.js';
export { describeFilter } from './seccomp/describe-filter.js';
export { firstRefused, type RefusedStep } from './seccomp/first-refused.js';
export {
  type SeccompArg,
  type SeccompCondition,
  type SeccompOperator,
  type SeccompProfile,
  type SeccompProfileFlag,
  type SeccompRule,
} from './seccomp/profile.js';
export { resolveProfile, type ResolvedProfile, type ResolveOptions } from './seccomp/resolve-profile.js';
export { seccomp, type SeccompFlag, type SeccompOptions } from './seccomp/seccomp.js';
export { simulate, type SeccompCall } from './seccomp/simulate.js';
