import { struct } from '../memory.js';

/** linux/openat2.h, struct open_how */
export const openHow = struct('open_how', {
  flags: { type: 'u64', show: 'openFlags' },
  mode: { type: 'u64', show: 'mode' },
  resolve: { type: 'u64', show: 'resolveFlags' },
});

/** linux/mount.h, struct mount_attr (MOUNT_ATTR_SIZE_VER0) */
export const mountAttr = struct('mount_attr', {
  attr_set: { type: 'u64', show: 'mountAttrFlags' },
  attr_clr: { type: 'u64', show: 'mountAttrFlags' },
  propagation: { type: 'u64', show: 'mountFlags' },
  userns_fd: { type: 'u64', show: 'int' },
});

/** linux/sched.h, struct clone_args (CLONE_ARGS_SIZE_VER2) */
export const cloneArgs = struct('clone_args', {
  flags: { type: 'u64', show: 'cloneFlags' },
  pidfd: { type: 'pointer' },
  child_tid: { type: 'pointer' },
  parent_tid: { type: 'pointer' },
  exit_signal: { type: 'u64', show: 'signal' },
  stack: { type: 'pointer' },
  stack_size: { type: 'u64' },
  tls: { type: 'u64' },
  set_tid: { type: 'pointer' },
  set_tid_size: { type: 'u64' },
  cgroup: { type: 'u64' },
});

/** asm-generic/poll.h, struct pollfd */
export const pollfd = struct('pollfd', { fd: { type: 'i32' }, events: { type: 'u16', show: 'hex' }, revents: { type: 'u16', show: 'hex' } });

/** linux/time_types.h, struct __kernel_timespec */
export const timespec = struct('timespec', { tv_sec: { type: 'i64' }, tv_nsec: { type: 'i64' } });

/** linux/if.h, struct ifreq, with the flags member of its union */
export const ifreq = struct('ifreq', {
  ifr_name: { type: { bytes: 16 } },
  ifr_flags: { type: 'u16', show: 'interfaceFlags' },
  ifr_rest: { type: { bytes: 22 } },
});

/** linux/resource.h, struct rlimit64 */
export const rlimit64 = struct('rlimit64', { rlim_cur: { type: 'u64', show: 'rlimit' }, rlim_max: { type: 'u64', show: 'rlimit' } });

/** linux/uio.h, struct iovec */
export const iovec = struct('iovec', { iov_base: { type: 'pointer' }, iov_len: { type: 'u64' } });

/** linux/socket.h, struct user_msghdr */
export const msghdr = struct('msghdr', {
  msg_name: { type: 'pointer' },
  msg_namelen: { type: 'i32' },
  msg_iov: { type: 'pointer' },
  msg_iovlen: { type: 'u64' },
  msg_control: { type: 'pointer' },
  msg_controllen: { type: 'u64' },
  msg_flags: { type: 'u32' },
});

/** linux/socket.h, struct cmsghdr with room for one fd (and its padding to 8 bytes) */
export const cmsgFd = struct('cmsghdr', {
  cmsg_len: { type: 'u64' },
  cmsg_level: { type: 'i32' },
  cmsg_type: { type: 'i32' },
  fd: { type: 'u64', show: 'int' },
});

/** asm-generic/signal.h, struct sigaction as the kernel takes it: on x64 with a restorer, which arm64 has not */
export const sigaction =
  process.arch === 'arm64'
    ? struct('sigaction', { sa_handler: { type: 'u64' }, sa_flags: { type: 'u64', show: 'hex' }, sa_mask: { type: 'u64', show: 'hex' } })
    : struct('sigaction', {
        sa_handler: { type: 'u64' },
        sa_flags: { type: 'u64', show: 'hex' },
        sa_restorer: { type: 'u64' },
        sa_mask: { type: 'u64', show: 'hex' },
      });

/** asm-generic/termios.h, struct winsize */
export const winsize = struct('winsize', { ws_row: { type: 'u16' }, ws_col: { type: 'u16' }, ws_xpixel: { type: 'u16' }, ws_ypixel: { type: 'u16' } });

/** linux/capability.h, struct __user_cap_header_struct */
export const capHeader = struct('__user_cap_header_struct', { version: { type: 'u32', show: 'capabilityVersionName' }, pid: { type: 'i32', show: 'pid' } });

/** linux/capability.h, two of struct __user_cap_data_struct: capabilities 0 to 31, and those from 32 on */
export const capData = struct('__user_cap_data_struct', {
  effective: { type: 'u32', show: 'capabilityFlags' },
  permitted: { type: 'u32', show: 'capabilityFlags' },
  inheritable: { type: 'u32', show: 'capabilityFlags' },
  effective_high: { type: 'u32', show: 'highCapabilityFlags' },
  permitted_high: { type: 'u32', show: 'highCapabilityFlags' },
  inheritable_high: { type: 'u32', show: 'highCapabilityFlags' },
});

/** linux/sched/types.h, struct sched_attr (SCHED_ATTR_SIZE_VER1) */
export const schedAttr = struct('sched_attr', {
  size: { type: 'u32' },
  sched_policy: { type: 'u32', show: 'schedulingPolicyName' },
  sched_flags: { type: 'u64', show: 'schedulingFlags' },
  sched_nice: { type: 'i32' },
  sched_priority: { type: 'u32' },
  sched_runtime: { type: 'u64' },
  sched_deadline: { type: 'u64' },
  sched_period: { type: 'u64' },
  sched_util_min: { type: 'u32' },
  sched_util_max: { type: 'u32' },
});

/** linux/landlock.h, struct landlock_ruleset_attr (of ABI 6; an older kernel takes the fields that it does not know if they are 0) */
export const landlockRulesetAttr = struct('landlock_ruleset_attr', {
  handled_access_fs: { type: 'u64', show: 'landlockFsFlags' },
  handled_access_net: { type: 'u64', show: 'landlockNetFlags' },
  scoped: { type: 'u64', show: 'landlockScopeFlags' },
});

/** linux/landlock.h, struct landlock_path_beneath_attr: its fd has 32 bits, and here room for a result of 64 */
export const landlockPathBeneathAttr = struct('landlock_path_beneath_attr', {
  allowed_access: { type: 'u64', show: 'landlockFsFlags' },
  parent_fd: { type: 'u64', show: 'int' },
});

/** linux/landlock.h, struct landlock_net_port_attr */
export const landlockNetPortAttr = struct('landlock_net_port_attr', {
  allowed_access: { type: 'u64', show: 'landlockNetFlags' },
  port: { type: 'u64', show: 'int' },
});

/** linux/seccomp.h, struct seccomp_notif_sizes */
export const seccompNotifSizes = struct('seccomp_notif_sizes', {
  seccomp_notif: { type: 'u16' },
  seccomp_notif_resp: { type: 'u16' },
  seccomp_data: { type: 'u16' },
});

/** linux/seccomp.h, struct seccomp_data */
export const seccompData = struct('seccomp_data', {
  nr: { type: 'i32' },
  arch: { type: 'u32', show: 'auditArchName' },
  instruction_pointer: { type: 'u64', show: 'hex' },
  args: { type: { bytes: 48 } },
});

/** linux/seccomp.h, struct seccomp_notif */
export const seccompNotif = struct('seccomp_notif', {
  id: { type: 'u64' },
  pid: { type: 'u32', show: 'pid' },
  flags: { type: 'u32' },
  data: { type: { bytes: seccompData.byteLength } },
});

/** linux/seccomp.h, struct seccomp_notif_resp */
export const seccompNotifResp = struct('seccomp_notif_resp', {
  id: { type: 'u64' },
  val: { type: 'i64' },
  error: { type: 'i32' },
  flags: { type: 'u32', show: 'seccompNotifFlags' },
});

/** linux/seccomp.h, struct seccomp_notif_addfd */
export const seccompNotifAddfd = struct('seccomp_notif_addfd', {
  id: { type: 'u64' },
  flags: { type: 'u32', show: 'seccompAddFdFlags' },
  srcfd: { type: 'u32' },
  newfd: { type: 'u32' },
  newfd_flags: { type: 'u32', show: 'fileFlags' },
});

/** linux/bpf.h, union bpf_attr for BPF_PROG_LOAD, up to what programs of control groups need */
export const bpfProgLoadAttr = struct('bpf_attr_prog_load', {
  prog_type: { type: 'u32', show: 'bpfProgramTypeName' },
  insn_cnt: { type: 'u32' },
  insns: { type: 'pointer' },
  license: { type: 'pointer', show: 'string' },
  log_level: { type: 'u32' },
  log_size: { type: 'u32' },
  log_buf: { type: 'pointer' },
  kern_version: { type: 'u32' },
  prog_flags: { type: 'u32', show: 'hex' },
  prog_name: { type: { bytes: 16 } },
  prog_ifindex: { type: 'u32' },
  expected_attach_type: { type: 'u32', show: 'bpfAttachTypeName' },
});

/** linux/bpf.h, union bpf_attr for BPF_PROG_ATTACH and BPF_PROG_DETACH: target_fd is the lower half of `fds`, and attach_bpf_fd the upper one, so that a result fits in */
export const bpfProgAttachAttr = struct('bpf_attr_prog_attach', {
  fds: { type: 'u64', show: 'hex' },
  attach_type: { type: 'u32', show: 'bpfAttachTypeName' },
  attach_flags: { type: 'u32', show: 'bpfAttachFlags' },
});

/** linux/bpf.h, union bpf_attr for BPF_PROG_GET_FD_BY_ID */
export const bpfGetIdAttr = struct('bpf_attr_get_id', { prog_id: { type: 'u32' }, next_id: { type: 'u32' }, open_flags: { type: 'u32', show: 'hex' } });

/** linux/bpf.h, union bpf_attr for BPF_PROG_QUERY, without the flags of each program */
export const bpfProgQueryAttr = struct('bpf_attr_prog_query', {
  target_fd: { type: 'u32' },
  attach_type: { type: 'u32', show: 'bpfAttachTypeName' },
  query_flags: { type: 'u32', show: 'hex' },
  attach_flags: { type: 'u32', show: 'bpfAttachFlags' },
  prog_ids: { type: 'pointer' },
  prog_cnt: { type: 'u32' },
});
