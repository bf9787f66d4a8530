// Constants of the kernel's uapi, by their C names. Each group cites its header; a test compares every one with the system headers.
// Where x64 and arm64 differ, the value of this process's architecture is taken.

const arm64 = process.arch === 'arm64';

/** asm-generic/fcntl.h; O_DIRECTORY, O_NOFOLLOW, O_DIRECT and O_LARGEFILE have other values on arm64 (arch/arm64/include/uapi/asm/fcntl.h). */
export const openFlags = {
  O_RDONLY: 0o0,
  O_WRONLY: 0o1,
  O_RDWR: 0o2,
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_NOCTTY: 0o400,
  O_TRUNC: 0o1000,
  O_APPEND: 0o2000,
  O_NONBLOCK: 0o4000,
  O_DIRECTORY: arm64 ? 0o40000 : 0o200000,
  O_NOFOLLOW: arm64 ? 0o100000 : 0o400000,
  O_CLOEXEC: 0o2000000,
  O_PATH: 0o10000000,
} as const;

/** linux/fcntl.h */
export const AT_FDCWD = -100;

/** linux/fcntl.h */
export const atFlags = {
  AT_SYMLINK_NOFOLLOW: 0x100,
  AT_REMOVEDIR: 0x200,
  AT_SYMLINK_FOLLOW: 0x400,
  AT_NO_AUTOMOUNT: 0x800,
  AT_EMPTY_PATH: 0x1000,
  AT_RECURSIVE: 0x8000,
} as const;

/** linux/openat2.h */
export const resolveFlags = {
  RESOLVE_NO_XDEV: 0x01,
  RESOLVE_NO_MAGICLINKS: 0x02,
  RESOLVE_NO_SYMLINKS: 0x04,
  RESOLVE_BENEATH: 0x08,
  RESOLVE_IN_ROOT: 0x10,
} as const;

/** linux/sched.h */
export const cloneFlags = {
  CLONE_NEWTIME: 0x80,
  CLONE_VM: 0x100,
  CLONE_FS: 0x200,
  CLONE_FILES: 0x400,
  CLONE_SIGHAND: 0x800,
  CLONE_PIDFD: 0x1000,
  CLONE_VFORK: 0x4000,
  CLONE_PARENT: 0x8000,
  CLONE_NEWNS: 0x20000,
  CLONE_PARENT_SETTID: 0x100000,
  CLONE_CHILD_CLEARTID: 0x200000,
  CLONE_NEWCGROUP: 0x2000000,
  CLONE_NEWUTS: 0x4000000,
  CLONE_NEWIPC: 0x8000000,
  CLONE_NEWUSER: 0x10000000,
  CLONE_NEWPID: 0x20000000,
  CLONE_NEWNET: 0x40000000,
} as const;

/** linux/sched.h: flags that only clone3(2) takes. */
export const CLONE_INTO_CGROUP = 0x200000000n;

/** linux/mount.h, mount(2) */
export const mountFlags = {
  MS_RDONLY: 1,
  MS_NOSUID: 2,
  MS_NODEV: 4,
  MS_NOEXEC: 8,
  MS_SYNCHRONOUS: 16,
  MS_REMOUNT: 32,
  MS_MANDLOCK: 64,
  MS_DIRSYNC: 128,
  MS_NOSYMFOLLOW: 256,
  MS_NOATIME: 1024,
  MS_NODIRATIME: 2048,
  MS_BIND: 4096,
  MS_MOVE: 8192,
  MS_REC: 16384,
  MS_SILENT: 32768,
  MS_UNBINDABLE: 1 << 17,
  MS_PRIVATE: 1 << 18,
  MS_SLAVE: 1 << 19,
  MS_SHARED: 1 << 20,
  MS_RELATIME: 1 << 21,
  MS_I_VERSION: 1 << 23,
  MS_STRICTATIME: 1 << 24,
  MS_LAZYTIME: 1 << 25,
} as const;

/** linux/fs.h, umount2(2) */
export const umountFlags = { MNT_FORCE: 1, MNT_DETACH: 2, MNT_EXPIRE: 4, UMOUNT_NOFOLLOW: 8 } as const;

/** linux/mount.h, open_tree(2); its AT_ flags are in `atFlags`. */
export const openTreeFlags = { OPEN_TREE_CLONE: 1, OPEN_TREE_CLOEXEC: openFlags.O_CLOEXEC } as const;

/** linux/mount.h, move_mount(2) */
export const moveMountFlags = {
  MOVE_MOUNT_F_SYMLINKS: 0x1,
  MOVE_MOUNT_F_EMPTY_PATH: 0x4,
  MOVE_MOUNT_T_SYMLINKS: 0x10,
  MOVE_MOUNT_T_EMPTY_PATH: 0x40,
} as const;

/** linux/mount.h */
export const fsopenFlags = { FSOPEN_CLOEXEC: 1 } as const;
/** linux/mount.h */
export const fsmountFlags = { FSMOUNT_CLOEXEC: 1 } as const;
/** linux/mount.h, enum fsconfig_command */
export const fsconfigCommands = {
  FSCONFIG_SET_FLAG: 0,
  FSCONFIG_SET_STRING: 1,
  FSCONFIG_SET_BINARY: 2,
  FSCONFIG_SET_PATH: 3,
  FSCONFIG_SET_PATH_EMPTY: 4,
  FSCONFIG_SET_FD: 5,
  FSCONFIG_CMD_CREATE: 6,
  FSCONFIG_CMD_RECONFIGURE: 7,
} as const;

/** linux/mount.h: attributes of fsmount(2) and mount_setattr(2) */
export const mountAttrs = {
  MOUNT_ATTR_RDONLY: 0x1,
  MOUNT_ATTR_NOSUID: 0x2,
  MOUNT_ATTR_NODEV: 0x4,
  MOUNT_ATTR_NOEXEC: 0x8,
  MOUNT_ATTR_NOATIME: 0x10,
  MOUNT_ATTR_STRICTATIME: 0x20,
  MOUNT_ATTR_NODIRATIME: 0x80,
  MOUNT_ATTR_IDMAP: 0x100000,
  MOUNT_ATTR_NOSYMFOLLOW: 0x200000,
} as const;
/** linux/mount.h: the mask of the access-time attributes, to be cleared as a whole */
export const MOUNT_ATTR__ATIME = 0x70;

/** linux/stat.h: file types in a mode */
export const fileTypes = {
  S_IFIFO: 0o10000,
  S_IFCHR: 0o20000,
  S_IFDIR: 0o40000,
  S_IFBLK: 0o60000,
  S_IFREG: 0o100000,
  S_IFLNK: 0o120000,
  S_IFSOCK: 0o140000,
} as const;

/** linux/fcntl.h and asm-generic/fcntl.h */
export const fcntlCommands = {
  F_DUPFD: 0,
  F_GETFD: 1,
  F_SETFD: 2,
  F_GETFL: 3,
  F_SETFL: 4,
  F_DUPFD_CLOEXEC: 1030,
  F_SETPIPE_SZ: 1031,
  F_ADD_SEALS: 1033,
  F_GET_SEALS: 1034,
} as const;
/** linux/fcntl.h */
export const seals = { F_SEAL_SEAL: 1, F_SEAL_SHRINK: 2, F_SEAL_GROW: 4, F_SEAL_WRITE: 8, F_SEAL_EXEC: 0x20 } as const;
/** linux/memfd.h */
export const memfdFlags = { MFD_CLOEXEC: 1, MFD_ALLOW_SEALING: 2, MFD_NOEXEC_SEAL: 8, MFD_EXEC: 0x10 } as const;
/** linux/close_range.h */
export const closeRangeFlags = { CLOSE_RANGE_UNSHARE: 2, CLOSE_RANGE_CLOEXEC: 4 } as const;

/** linux/prctl.h */
export const prctlOptions = {
  PR_SET_PDEATHSIG: 1,
  PR_GET_PDEATHSIG: 2,
  PR_GET_DUMPABLE: 3,
  PR_SET_DUMPABLE: 4,
  PR_SET_KEEPCAPS: 8,
  PR_SET_NAME: 15,
  PR_CAPBSET_READ: 23,
  PR_CAPBSET_DROP: 24,
  PR_SET_SECUREBITS: 28,
  PR_SET_CHILD_SUBREAPER: 36,
  PR_SET_NO_NEW_PRIVS: 38,
  PR_CAP_AMBIENT: 47,
} as const;

/** linux/prctl.h: operations of PR_CAP_AMBIENT */
export const ambientOperations = {
  PR_CAP_AMBIENT_IS_SET: 1,
  PR_CAP_AMBIENT_RAISE: 2,
  PR_CAP_AMBIENT_LOWER: 3,
  PR_CAP_AMBIENT_CLEAR_ALL: 4,
} as const;

/** linux/securebits.h: flags of PR_SET_SECUREBITS */
export const secureBitFlags = {
  SECBIT_NOROOT: 0x1,
  SECBIT_NOROOT_LOCKED: 0x2,
  SECBIT_NO_SETUID_FIXUP: 0x4,
  SECBIT_NO_SETUID_FIXUP_LOCKED: 0x8,
  SECBIT_KEEP_CAPS: 0x10,
  SECBIT_KEEP_CAPS_LOCKED: 0x20,
  SECBIT_NO_CAP_AMBIENT_RAISE: 0x40,
  SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED: 0x80,
} as const;

/** linux/capability.h: numbers of the capabilities */
export const capabilityNumbers = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_DAC_READ_SEARCH: 2,
  CAP_FOWNER: 3,
  CAP_FSETID: 4,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SETPCAP: 8,
  CAP_LINUX_IMMUTABLE: 9,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_BROADCAST: 11,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_IPC_LOCK: 14,
  CAP_IPC_OWNER: 15,
  CAP_SYS_MODULE: 16,
  CAP_SYS_RAWIO: 17,
  CAP_SYS_CHROOT: 18,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_PACCT: 20,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_BOOT: 22,
  CAP_SYS_NICE: 23,
  CAP_SYS_RESOURCE: 24,
  CAP_SYS_TIME: 25,
  CAP_SYS_TTY_CONFIG: 26,
  CAP_MKNOD: 27,
  CAP_LEASE: 28,
  CAP_AUDIT_WRITE: 29,
  CAP_AUDIT_CONTROL: 30,
  CAP_SETFCAP: 31,
  CAP_MAC_OVERRIDE: 32,
  CAP_MAC_ADMIN: 33,
  CAP_SYSLOG: 34,
  CAP_WAKE_ALARM: 35,
  CAP_BLOCK_SUSPEND: 36,
  CAP_AUDIT_READ: 37,
  CAP_PERFMON: 38,
  CAP_BPF: 39,
  CAP_CHECKPOINT_RESTORE: 40,
} as const;
/** linux/capability.h: version of the structs of capset(2) that have 64 bits for each set */
export const _LINUX_CAPABILITY_VERSION_3 = 0x20080522;

/** asm-generic/resource.h: what prlimit(2) limits */
export const rlimitResources = {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
} as const;
/** linux/resource.h: no limit */
export const RLIM64_INFINITY = 2n ** 64n - 1n;

/** linux/keyctl.h */
export const keyctlOperations = { KEYCTL_GET_KEYRING_ID: 0, KEYCTL_JOIN_SESSION_KEYRING: 1 } as const;
/** linux/keyctl.h: the keyring of the session, in place of its number */
export const KEY_SPEC_SESSION_KEYRING = -3;

/** linux/sched.h; SCHED_OTHER is what POSIX and the man pages call SCHED_NORMAL. */
export const schedulingPolicies = { SCHED_OTHER: 0, SCHED_FIFO: 1, SCHED_RR: 2, SCHED_BATCH: 3, SCHED_IDLE: 5, SCHED_DEADLINE: 6 } as const;
/** linux/sched.h: flags of sched_setattr(2) */
export const schedulingFlags = {
  SCHED_FLAG_RESET_ON_FORK: 0x1,
  SCHED_FLAG_RECLAIM: 0x2,
  SCHED_FLAG_DL_OVERRUN: 0x4,
  SCHED_FLAG_KEEP_POLICY: 0x8,
  SCHED_FLAG_KEEP_PARAMS: 0x10,
  SCHED_FLAG_UTIL_CLAMP_MIN: 0x20,
  SCHED_FLAG_UTIL_CLAMP_MAX: 0x40,
} as const;

/** linux/ioprio.h: classes of ioprio_set(2) */
export const ioPriorityClasses = { IOPRIO_CLASS_NONE: 0, IOPRIO_CLASS_RT: 1, IOPRIO_CLASS_BE: 2, IOPRIO_CLASS_IDLE: 3 } as const;
/** linux/ioprio.h: the class stands in the bits from here on */
export const IOPRIO_CLASS_SHIFT = 13;
/** linux/ioprio.h: whose priority ioprio_set(2) sets */
export const ioPriorityTargets = { IOPRIO_WHO_PROCESS: 1, IOPRIO_WHO_PGRP: 2, IOPRIO_WHO_USER: 3 } as const;

/** linux/personality.h */
export const personalities = { PER_LINUX: 0, PER_LINUX32: 8 } as const;

/** linux/wait.h */
export const waitFlags = { WNOHANG: 1, WUNTRACED: 2, WEXITED: 4, WCONTINUED: 8, WNOWAIT: 0x1000000, __WNOTHREAD: 0x20000000, __WALL: 0x40000000 } as const;
/** linux/wait.h: idtype_t of waitid(2) */
export const waitIdTypes = { P_ALL: 0, P_PID: 1, P_PGID: 2, P_PIDFD: 3 } as const;

/** asm-generic/poll.h */
export const pollEvents = { POLLIN: 1, POLLPRI: 2, POLLOUT: 4, POLLERR: 8, POLLHUP: 16, POLLNVAL: 32 } as const;

/** linux/eventpoll.h */
export const epollEvents = { EPOLLIN: 1, EPOLLPRI: 2, EPOLLRDHUP: 0x2000 } as const;
/** linux/eventpoll.h */
export const epollOperations = { EPOLL_CTL_ADD: 1, EPOLL_CTL_DEL: 2, EPOLL_CTL_MOD: 3 } as const;

/** asm-generic/ioctls.h, linux/sockios.h, linux/seccomp.h */
export const ioctls = {
  TCGETS: 0x5401,
  TIOCSCTTY: 0x540e,
  TIOCGWINSZ: 0x5413,
  TIOCSWINSZ: 0x5414,
  FIONREAD: 0x541b,
  TIOCNOTTY: 0x5422,
  TIOCSPTLCK: 0x40045431,
  TIOCGPTPEER: 0x5441,
  SIOCGIFFLAGS: 0x8913,
  SIOCSIFFLAGS: 0x8914,
  SECCOMP_IOCTL_NOTIF_RECV: 0xc0502100,
  SECCOMP_IOCTL_NOTIF_SEND: 0xc0182101,
  SECCOMP_IOCTL_NOTIF_ID_VALID: 0x40082102,
  SECCOMP_IOCTL_NOTIF_ADDFD: 0x40182103,
} as const;

/** linux/landlock.h: what a ruleset may handle of files; a kernel takes those of its own ABI and of older ones. */
export const landlockAccessFs = {
  LANDLOCK_ACCESS_FS_EXECUTE: 0x1,
  LANDLOCK_ACCESS_FS_WRITE_FILE: 0x2,
  LANDLOCK_ACCESS_FS_READ_FILE: 0x4,
  LANDLOCK_ACCESS_FS_READ_DIR: 0x8,
  LANDLOCK_ACCESS_FS_REMOVE_DIR: 0x10,
  LANDLOCK_ACCESS_FS_REMOVE_FILE: 0x20,
  LANDLOCK_ACCESS_FS_MAKE_CHAR: 0x40,
  LANDLOCK_ACCESS_FS_MAKE_DIR: 0x80,
  LANDLOCK_ACCESS_FS_MAKE_REG: 0x100,
  LANDLOCK_ACCESS_FS_MAKE_SOCK: 0x200,
  LANDLOCK_ACCESS_FS_MAKE_FIFO: 0x400,
  LANDLOCK_ACCESS_FS_MAKE_BLOCK: 0x800,
  LANDLOCK_ACCESS_FS_MAKE_SYM: 0x1000,
  LANDLOCK_ACCESS_FS_REFER: 0x2000,
  LANDLOCK_ACCESS_FS_TRUNCATE: 0x4000,
  LANDLOCK_ACCESS_FS_IOCTL_DEV: 0x8000,
  LANDLOCK_ACCESS_FS_RESOLVE_UNIX: 0x10000,
} as const;
/** linux/landlock.h: what a ruleset may handle of the network */
export const landlockAccessNet = {
  LANDLOCK_ACCESS_NET_BIND_TCP: 0x1,
  LANDLOCK_ACCESS_NET_CONNECT_TCP: 0x2,
  LANDLOCK_ACCESS_NET_BIND_UDP: 0x4,
  LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP: 0x8,
} as const;
/** linux/landlock.h: what a ruleset may keep within its domain */
export const landlockScopes = { LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET: 0x1, LANDLOCK_SCOPE_SIGNAL: 0x2 } as const;
/** linux/landlock.h, enum landlock_rule_type */
export const landlockRuleTypes = { LANDLOCK_RULE_PATH_BENEATH: 1, LANDLOCK_RULE_NET_PORT: 2 } as const;
/** linux/landlock.h: flags of landlock_create_ruleset(2) */
export const landlockCreateFlags = { LANDLOCK_CREATE_RULESET_VERSION: 0x1 } as const;
/** linux/landlock.h: flags of landlock_restrict_self(2) */
export const landlockRestrictFlags = {
  LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF: 0x1,
  LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON: 0x2,
  LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF: 0x4,
  LANDLOCK_RESTRICT_SELF_TSYNC: 0x8,
} as const;

/** linux/seccomp.h: operations of seccomp(2) */
export const seccompOperations = {
  SECCOMP_SET_MODE_STRICT: 0,
  SECCOMP_SET_MODE_FILTER: 1,
  SECCOMP_GET_ACTION_AVAIL: 2,
  SECCOMP_GET_NOTIF_SIZES: 3,
} as const;
/** linux/seccomp.h: flags of SECCOMP_SET_MODE_FILTER */
export const seccompFilterFlags = {
  SECCOMP_FILTER_FLAG_TSYNC: 0x1,
  SECCOMP_FILTER_FLAG_LOG: 0x2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 0x4,
  SECCOMP_FILTER_FLAG_NEW_LISTENER: 0x8,
  SECCOMP_FILTER_FLAG_TSYNC_ESRCH: 0x10,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 0x20,
} as const;
/** linux/seccomp.h: flags of an answer to a notification */
export const seccompNotifFlags = { SECCOMP_USER_NOTIF_FLAG_CONTINUE: 0x1 } as const;
/** linux/seccomp.h: flags of SECCOMP_IOCTL_NOTIF_ADDFD */
export const seccompAddFdFlags = { SECCOMP_ADDFD_FLAG_SETFD: 0x1, SECCOMP_ADDFD_FLAG_SEND: 0x2 } as const;
/** linux/audit.h: the architectures of system calls, as seccomp(2) tells them; the kernel runs those of a 32-bit program too. */
export const auditArches = {
  AUDIT_ARCH_X86_64: 0xc000003e,
  AUDIT_ARCH_I386: 0x40000003,
  AUDIT_ARCH_AARCH64: 0xc00000b7,
  AUDIT_ARCH_ARM: 0x40000028,
} as const;

/** linux/bpf.h, enum bpf_cmd: what bpf(2) is to do */
export const bpfCommands = {
  BPF_PROG_LOAD: 5,
  BPF_PROG_ATTACH: 8,
  BPF_PROG_DETACH: 9,
  BPF_PROG_GET_FD_BY_ID: 13,
  BPF_PROG_QUERY: 16,
} as const;
/** linux/bpf.h, enum bpf_prog_type */
export const bpfProgramTypes = { BPF_PROG_TYPE_CGROUP_DEVICE: 15 } as const;
/** linux/bpf.h, enum bpf_attach_type */
export const bpfAttachTypes = { BPF_CGROUP_DEVICE: 6 } as const;
/** linux/bpf.h: flags of BPF_PROG_ATTACH */
export const bpfAttachFlags = { BPF_F_ALLOW_MULTI: 0x2 } as const;
/** linux/bpf.h: the upper half of access_type in struct bpf_cgroup_dev_ctx */
export const bpfDeviceAccess = { BPF_DEVCG_ACC_MKNOD: 1, BPF_DEVCG_ACC_READ: 2, BPF_DEVCG_ACC_WRITE: 4 } as const;
/** linux/bpf.h: the lower half of access_type in struct bpf_cgroup_dev_ctx */
export const bpfDeviceTypes = { BPF_DEVCG_DEV_BLOCK: 1, BPF_DEVCG_DEV_CHAR: 2 } as const;

/** linux/socket.h */
export const socketDomains = { AF_UNIX: 1, AF_INET: 2, AF_NETLINK: 16 } as const;
/** linux/net.h */
export const socketTypes = { SOCK_STREAM: 1, SOCK_DGRAM: 2, SOCK_RAW: 3, SOCK_SEQPACKET: 5, SOCK_NONBLOCK: 0o4000, SOCK_CLOEXEC: 0o2000000 } as const;
/** linux/socket.h */
export const messageFlags = { MSG_PEEK: 2, MSG_TRUNC: 0x20, MSG_DONTWAIT: 0x40, MSG_NOSIGNAL: 0x4000, MSG_CMSG_CLOEXEC: 0x40000000 } as const;
/** linux/socket.h */
export const SOL_SOCKET = 1;
/** linux/net.h: enum sock_shutdown_cmd, as shutdown(2) has it */
export const SHUT_RD = 0;
/** asm-generic/socket.h */
export const SO_TYPE = 3;
/** asm-generic/socket.h */
export const SO_PASSCRED = 16;
/** linux/socket.h */
export const SCM_RIGHTS = 1;
/** linux/if.h */
export const interfaceFlags = { IFF_UP: 1, IFF_LOOPBACK: 8, IFF_RUNNING: 0x40 } as const;

/** linux/netlink.h */
export const netlinkProtocols = { NETLINK_ROUTE: 0 } as const;
/** linux/socket.h */
export const SOL_NETLINK = 270;
/** linux/netlink.h: options of a socket */
export const netlinkOptions = { NETLINK_CAP_ACK: 10, NETLINK_EXT_ACK: 11 } as const;
/** linux/netlink.h: types of messages that belong to no family */
export const netlinkMessages = { NLMSG_ERROR: 2, NLMSG_DONE: 3 } as const;
/** linux/netlink.h: flags of a message */
export const netlinkFlags = {
  NLM_F_REQUEST: 1,
  NLM_F_ACK: 4,
  NLM_F_DUMP_INTR: 0x10,
  NLM_F_REPLACE: 0x100,
  NLM_F_DUMP: 0x300,
  NLM_F_CREATE: 0x400,
} as const;
/** linux/netlink.h: attributes of an answer */
export const netlinkErrorAttributes = { NLMSGERR_ATTR_MSG: 1 } as const;
/** linux/rtnetlink.h */
export const routeMessages = { RTM_NEWLINK: 16, RTM_GETLINK: 18, RTM_SETLINK: 19, RTM_NEWADDR: 20, RTM_GETADDR: 22 } as const;
/** linux/rtnetlink.h */
export const routeScopes = { RT_SCOPE_UNIVERSE: 0 } as const;
/** linux/if_link.h; IFLA_NEW_IFINDEX since Linux 5.13 */
export const linkAttributes = { IFLA_IFNAME: 3, IFLA_NET_NS_FD: 28, IFLA_NEW_IFINDEX: 49 } as const;
/** linux/if_addr.h */
export const addressAttributes = {
  IFA_ADDRESS: 1,
  IFA_LOCAL: 2,
  IFA_LABEL: 3,
  IFA_BROADCAST: 4,
  IFA_CACHEINFO: 6,
  IFA_FLAGS: 8,
  IFA_RT_PRIORITY: 9,
  IFA_PROTO: 11,
} as const;
/** linux/if_addr.h */
export const addressFlags = {
  IFA_F_NODAD: 2,
  IFA_F_HOMEADDRESS: 0x10,
  IFA_F_PERMANENT: 0x80,
  IFA_F_MANAGETEMPADDR: 0x100,
  IFA_F_NOPREFIXROUTE: 0x200,
  IFA_F_MCAUTOJOIN: 0x400,
} as const;

/** asm-generic/fcntl.h */
export const accessModes = { F_OK: 0, X_OK: 1, W_OK: 2, R_OK: 4 } as const;

/** asm-generic/signal.h: how of rt_sigprocmask(2) */
export const maskHow = { SIG_BLOCK: 0, SIG_UNBLOCK: 1, SIG_SETMASK: 2 } as const;

/** asm-generic/signal.h: the same numbers on x64 and arm64 */
export const signals = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const;

/** linux/magic.h: f_type of statfs(2) */
export const fsMagic = {
  PROC_SUPER_MAGIC: 0x9fa0,
  CGROUP_SUPER_MAGIC: 0x27e0eb,
  CGROUP2_SUPER_MAGIC: 0x63677270,
  TMPFS_MAGIC: 0x01021994,
  OVERLAYFS_SUPER_MAGIC: 0x794c7630,
} as const;

/** linux/sched.h: the kinds of namespace by the file names of /proc/PID/ns */
export const namespaceFlags = {
  mnt: cloneFlags.CLONE_NEWNS,
  uts: cloneFlags.CLONE_NEWUTS,
  ipc: cloneFlags.CLONE_NEWIPC,
  pid: cloneFlags.CLONE_NEWPID,
  net: cloneFlags.CLONE_NEWNET,
  user: cloneFlags.CLONE_NEWUSER,
  cgroup: cloneFlags.CLONE_NEWCGROUP,
  time: cloneFlags.CLONE_NEWTIME,
} as const;
