export { errnoName, errnos, type ErrnoName } from './abi/errno.js';
export { hostArch, syscallNumber, type Arch, type SyscallName } from './abi/numbers.js';
export { signatures, type ArgKind } from './abi/signatures.js';
export { syscallNumbers, type SyscallAbi } from './abi/syscall-numbers.js';
export {
  openFlags,
  AT_FDCWD,
  atFlags,
  resolveFlags,
  cloneFlags,
  CLONE_INTO_CGROUP,
  mountFlags,
  umountFlags,
  openTreeFlags,
  moveMountFlags,
  fsopenFlags,
  fsmountFlags,
  fsconfigCommands,
  mountAttrs,
  MOUNT_ATTR__ATIME,
  fileTypes,
  fcntlCommands,
  seals,
  memfdFlags,
  closeRangeFlags,
  prctlOptions,
  ambientOperations,
  secureBitFlags,
  capabilityNumbers,
  _LINUX_CAPABILITY_VERSION_3,
  rlimitResources,
  RLIM64_INFINITY,
  keyctlOperations,
  KEY_SPEC_SESSION_KEYRING,
  schedulingPolicies,
  schedulingFlags,
  ioPriorityClasses,
  IOPRIO_CLASS_SHIFT,
  ioPriorityTargets,
  personalities,
  waitFlags,
  waitIdTypes,
  pollEvents,
  ioctls,
  landlockAccessFs,
  landlockAccessNet,
  landlockScopes,
  landlockRuleTypes,
  landlockCreateFlags,
  landlockRestrictFlags,
  seccompOperations,
  seccompFilterFlags,
  seccompNotifFlags,
  seccompAddFdFlags,
  auditArches,
  bpfCommands,
  bpfProgramTypes,
  bpfAttachTypes,
  bpfAttachFlags,
  bpfDeviceAccess,
  bpfDeviceTypes,
  socketDomains,
  socketTypes,
  messageFlags,
  SO_TYPE,
  SO_PASSCRED,
  SOL_SOCKET,
  SCM_RIGHTS,
  interfaceFlags,
  netlinkProtocols,
  SOL_NETLINK,
  netlinkOptions,
  netlinkMessages,
  netlinkFlags,
  netlinkErrorAttributes,
  routeMessages,
  routeScopes,
  linkAttributes,
  addressAttributes,
  addressFlags,
  accessModes,
  maskHow,
  signals,
  fsMagic,
  namespaceFlags,
} from './abi/constants.js';
export {
  openHow,
  mountAttr,
  cloneArgs,
  pollfd,
  timespec,
  ifreq,
  rlimit64,
  iovec,
  msghdr,
  cmsgFd,
  sigaction,
  winsize,
  capHeader,
  capData,
  schedAttr,
  landlockRulesetAttr,
  landlockPathBeneathAttr,
  landlockNetPortAttr,
  seccompNotifSizes,
  seccompData,
  seccompNotif,
  seccompNotifResp,
  seccompNotifAddfd,
  bpfProgLoadAttr,
  bpfProgAttachAttr,
  bpfGetIdAttr,
  bpfProgQueryAttr,
} from './abi/structs.js';
export { compile, type CompileOptions } from './compile/compile.js';
export { errnoText, isSyscallError, SyscallError, type SyscallFailure } from './error.js';
export { signalName, type Exit, type SignalName } from './exit.js';
export { explain, explainArgs, explainCall } from './explain.js';
export { Fd } from './fd.js';
export { KEEPER_FD, registerWithKeeper, type KeeperOptions, type Registration } from './keeper.js';
export { KERNEL_FLOOR, requireKernel } from './kernel.js';
export { launch, readFailure, type Child, type LaunchOptions, type LaunchStdio, type ReportedFailure } from './launch.js';
export { failure, Memory, struct, type Field, type FieldValue, type Load, type PlacedField, type Pointer, type Struct, type StructType } from './memory.js';
export { MAX_LOOKUPS, openFd, type OpenOptions } from './open.js';
export { openPipe, type Pipe, type PipeOptions } from './pipe.js';
export { absolutePath, bytesOf, callersVariable, callersWords, isWhole, nodePath, textOf } from './raw-text.js';
export { checkOptions, nearest } from './options.js';

export { printable, printableLines, quote } from './printable.js';
export { call, callInto, perform, type Filled } from './perform.js';
export { announceExec, continueInChild, dieWithHost, handOver, stayInCharge, waitForHost, type ForkOptions } from './process.js';
export { readable, watchReadable, type ReadableOptions } from './readable.js';
export { fail, label, resultOf, type Arg, type Jump, type Plan, type ResultOf, type Step } from './step.js';
export { watchUrgent, type Watch } from './urgent.js';
export { nodeTimers, type NodeTimers } from './node-timers.js';
export { currentIds, perUser, requireAccess } from './user.js';
export { nextInThread } from './next-in-thread.js';
export { removeAtThreadEnd } from './thread-end.js';
