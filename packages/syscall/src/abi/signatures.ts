import { ambientOperations, prctlOptions } from './constants.js';
import type { SyscallName } from './numbers.js';

/**
 * What an argument of a system call means: how `explain` prints it.
 * A `…Flags` kind is a set of bits, `…Name` is one of a list; the tables are in constants.ts.
 */
export type ArgKind =
  | 'int'
  | 'hex'
  | 'mode'
  | 'fd'
  | 'dirfd'
  | 'path'
  | 'string'
  | 'strings'
  | 'bytes'
  | 'pointer'
  | 'pid'
  | 'uid'
  | 'device'
  | 'signal'
  | 'openFlags'
  | 'fileFlags'
  | 'resolveFlags'
  | 'atFlags'
  | 'accessMode'
  | 'cloneFlags'
  | 'namespaceFlags'
  | 'mountFlags'
  | 'umountFlags'
  | 'openTreeFlags'
  | 'moveMountFlags'
  | 'fsopenFlags'
  | 'fsmountFlags'
  | 'fsconfigName'
  | 'mountAttrFlags'
  | 'fcntlName'
  | 'memfdFlags'
  | 'closeRangeFlags'
  | 'prctlName'
  | 'waitFlags'
  | 'idTypeName'
  | 'ioctlName'
  | 'domainName'
  | 'socketTypeFlags'
  | 'messageFlags'
  | 'interfaceFlags'
  | 'maskHowName'
  | 'ambientName'
  | 'capabilityName'
  | 'capabilityFlags'
  | 'highCapabilityFlags'
  | 'capabilityVersionName'
  | 'secureBitFlags'
  | 'rlimitName'
  | 'rlimit'
  | 'keyctlName'
  | 'schedulingPolicyName'
  | 'schedulingFlags'
  | 'ioPriorityTargetName'
  | 'ioPriority'
  | 'personalityName'
  | 'landlockFsFlags'
  | 'landlockNetFlags'
  | 'landlockScopeFlags'
  | 'landlockRuleName'
  | 'landlockCreateFlags'
  | 'landlockRestrictFlags'
  | 'seccompName'
  | 'seccompFilterFlags'
  | 'seccompNotifFlags'
  | 'seccompAddFdFlags'
  | 'auditArchName'
  | 'bpfName'
  | 'bpfProgramTypeName'
  | 'bpfAttachTypeName'
  | 'bpfAttachFlags';

/** Name and arguments of each call that steps commonly make, in the order of its manual page; any other call is printed with plain numbers. */
export const signatures: Partial<Record<SyscallName, readonly ArgKind[]>> = {
  bpf: ['bpfName', 'pointer', 'int'],
  capset: ['pointer', 'pointer'],
  chdir: ['path'],
  chroot: ['path'],
  clone: ['cloneFlags', 'pointer', 'pointer', 'pointer', 'pointer'],
  clone3: ['pointer', 'int'],
  close: ['fd'],
  close_range: ['int', 'int', 'closeRangeFlags'],
  dup: ['fd'],
  dup3: ['fd', 'int', 'fileFlags'],
  epoll_create1: ['fileFlags'],
  epoll_ctl: ['fd', 'int', 'fd', 'pointer'],
  epoll_pwait: ['fd', 'pointer', 'int', 'int', 'pointer', 'int'],
  execve: ['path', 'strings', 'strings'],
  execveat: ['dirfd', 'path', 'strings', 'strings', 'atFlags'],
  exit: ['int'],
  exit_group: ['int'],
  faccessat: ['dirfd', 'path', 'accessMode'],
  faccessat2: ['dirfd', 'path', 'accessMode', 'int'],
  fchdir: ['fd'],
  fchmod: ['fd', 'mode'],
  fchmodat: ['dirfd', 'path', 'mode'],
  fchownat: ['dirfd', 'path', 'uid', 'uid', 'atFlags'],
  fchown: ['fd', 'uid', 'uid'],
  fcntl: ['fd', 'fcntlName', 'int'],
  fsconfig: ['fd', 'fsconfigName', 'string', 'string', 'int'],
  fsmount: ['fd', 'fsmountFlags', 'mountAttrFlags'],
  fsetxattr: ['fd', 'string', 'bytes', 'int', 'int'],
  fsopen: ['string', 'fsopenFlags'],
  fstatfs: ['fd', 'pointer'],
  ftruncate: ['fd', 'int'],
  getpid: [],
  getppid: [],
  getsockopt: ['fd', 'int', 'int', 'pointer', 'pointer'],
  ioctl: ['fd', 'ioctlName', 'pointer'],
  ioprio_set: ['ioPriorityTargetName', 'int', 'ioPriority'],
  keyctl: ['keyctlName', 'pointer', 'int', 'int', 'int'],
  kill: ['pid', 'signal'],
  landlock_add_rule: ['fd', 'landlockRuleName', 'pointer', 'int'],
  landlock_create_ruleset: ['pointer', 'int', 'landlockCreateFlags'],
  landlock_restrict_self: ['fd', 'landlockRestrictFlags'],
  linkat: ['dirfd', 'path', 'dirfd', 'path', 'atFlags'],
  lseek: ['fd', 'int', 'int'],
  memfd_create: ['string', 'memfdFlags'],
  mkdirat: ['dirfd', 'path', 'mode'],
  mknodat: ['dirfd', 'path', 'mode', 'device'],
  mmap: ['pointer', 'int', 'hex', 'hex', 'int', 'int'],
  mount: ['string', 'path', 'string', 'mountFlags', 'string'],
  mount_setattr: ['dirfd', 'path', 'atFlags', 'pointer', 'int'],
  move_mount: ['dirfd', 'path', 'dirfd', 'path', 'moveMountFlags'],
  nanosleep: ['pointer', 'pointer'],
  open_tree: ['dirfd', 'path', 'openTreeFlags'],
  openat: ['dirfd', 'path', 'openFlags', 'mode'],
  openat2: ['dirfd', 'path', 'pointer', 'int'],
  personality: ['personalityName'],
  pidfd_open: ['pid', 'int'],
  pidfd_send_signal: ['fd', 'signal', 'pointer', 'int'],
  pipe2: ['pointer', 'fileFlags'],
  pivot_root: ['path', 'path'],
  ppoll: ['pointer', 'int', 'pointer', 'pointer', 'int'],
  pread64: ['fd', 'pointer', 'int', 'int'],
  prctl: ['prctlName', 'int', 'int', 'int', 'int'],
  prlimit64: ['pid', 'rlimitName', 'pointer', 'pointer'],
  read: ['fd', 'pointer', 'int'],
  readlinkat: ['dirfd', 'path', 'pointer', 'int'],
  recvfrom: ['fd', 'pointer', 'int', 'messageFlags', 'pointer', 'pointer'],
  recvmsg: ['fd', 'pointer', 'messageFlags'],
  renameat2: ['dirfd', 'path', 'dirfd', 'path', 'int'],
  rt_sigaction: ['signal', 'pointer', 'pointer', 'int'],
  rt_sigprocmask: ['maskHowName', 'pointer', 'pointer', 'int'],
  rt_sigtimedwait: ['pointer', 'pointer', 'pointer', 'int'],
  sched_setaffinity: ['pid', 'int', 'pointer'],
  sched_setattr: ['pid', 'pointer', 'int'],
  seccomp: ['seccompName', 'seccompFilterFlags', 'pointer'],
  sendfile: ['fd', 'fd', 'pointer', 'int'],
  sendmsg: ['fd', 'pointer', 'messageFlags'],
  setdomainname: ['string', 'int'],
  setgid: ['uid'],
  setgroups: ['int', 'pointer'],
  sethostname: ['string', 'int'],
  setns: ['fd', 'namespaceFlags'],
  setpgid: ['pid', 'pid'],
  setresgid: ['uid', 'uid', 'uid'],
  setresuid: ['uid', 'uid', 'uid'],
  setsid: [],
  setuid: ['uid'],
  setxattr: ['path', 'string', 'bytes', 'int', 'int'],
  shutdown: ['fd', 'int'],
  socket: ['domainName', 'socketTypeFlags', 'int'],
  socketpair: ['domainName', 'socketTypeFlags', 'int', 'pointer'],
  splice: ['fd', 'pointer', 'fd', 'pointer', 'int', 'int'],
  statfs: ['path', 'pointer'],
  symlinkat: ['string', 'dirfd', 'path'],
  tee: ['fd', 'fd', 'int', 'int'],
  tgkill: ['pid', 'pid', 'signal'],
  umask: ['mode'],
  umount2: ['path', 'umountFlags'],
  unlinkat: ['dirfd', 'path', 'atFlags'],
  unshare: ['namespaceFlags'],
  utimensat: ['dirfd', 'path', 'pointer', 'atFlags'],
  wait4: ['pid', 'pointer', 'waitFlags', 'pointer'],
  waitid: ['idTypeName', 'int', 'pointer', 'waitFlags', 'pointer'],
  write: ['fd', 'bytes', 'int'],
  writev: ['fd', 'pointer', 'int'],
};

/** What the arguments of prctl(2) behind its option are, where they are more than numbers. */
export function prctlArguments(option: unknown, operation: unknown): readonly ArgKind[] {
  switch (option) {
    case prctlOptions.PR_CAPBSET_READ:
    case prctlOptions.PR_CAPBSET_DROP:
      return ['capabilityName'];
    case prctlOptions.PR_SET_SECUREBITS:
      return ['secureBitFlags'];
    case prctlOptions.PR_CAP_AMBIENT:
      return operation === ambientOperations.PR_CAP_AMBIENT_CLEAR_ALL ? ['ambientName'] : ['ambientName', 'capabilityName'];
    default:
      return [];
  }
}
