import type { Step } from '@ctr/syscall';

/** What to say when a step fails with a certain error. */
export type Hints = NonNullable<Step['hints']>;

// What to say about the steps of a group when they fail, by what they do.

export const directoryHints = {
  EEXIST: 'a group of this name is there already: another container has it, or left it behind (collectGarbage removes what dead owners have left)',
  EAGAIN: 'a group above allows no more groups below it: see its cgroup.max.descendants and cgroup.max.depth',
  ENOSPC: 'there are as many groups as the kernel can number (65535 on v1 with the memory controller): see /proc/cgroups, and remove some',
  EACCES: 'the directory above belongs to someone else: run as root, or in a delegated group',
  EROFS: 'the control groups are mounted read-only',
  ENOENT: 'the directory above is gone: something else removes the groups of this parent',
} satisfies Hints;

export const openHints = {
  ENOENT: 'this kernel was built without that control file, or the group above does not pass the controller on',
} satisfies Hints;

export const limitHints = {
  EINVAL: 'the kernel does not take this value: a group above may allow less (on v1 the cpu quota of a group cannot exceed that of the one above)',
  EBUSY: 'the group uses more than that already, and the kernel cannot free enough',
} satisfies Hints;

export const enableHints = {
  EBUSY: 'processes are in that group, which keeps it from passing controllers on: move them to one below it',
  ENOENT: 'the group above it does not pass that controller on',
  EINVAL: 'with real-time processes below, the cpu controller cannot be enabled (CONFIG_RT_GROUP_SCHED): move them to the root group',
} satisfies Hints;

const REAL_TIME =
  'a real-time process joins no group that has no share of that time (cpu.rt_runtime_us is 0 in a new one): give it SCHED_OTHER, or the group a share';

export const joinHints = {
  EINVAL: REAL_TIME,
  EBUSY: 'the group passes controllers on, so no process may be in it',
  EOPNOTSUPP: 'a group above is threaded, so this one can take no process',
  EACCES: 'a process can be moved only by someone who may write cgroup.procs of a group above both the old and the new one: start in the delegated group',
} satisfies Hints;

export const freezeHints = {
  ENOENT: 'the group is gone: it was removed already',
  ENODEV: 'the group is gone: it was removed already',
} satisfies Hints;

export const addHints = {
  ...joinHints,
  ESRCH: 'there is no such process (any more)',
  EINVAL: `a kernel thread cannot be moved, and ${REAL_TIME}`,
  ENOENT: 'the group is gone: it was removed already',
  ENODEV: 'the group is gone: it was removed already',
} satisfies Hints;

export const threadHints = {
  ...addHints,
  ESRCH: 'there is no such thread (any more)',
  EOPNOTSUPP: 'a thread goes only where its process is, or to a threaded group below: add the process to the group above first',
} satisfies Hints;

export const delegateHints = {
  EPERM: 'only root may give a group to another user',
  EINVAL: 'this user namespace has no such user or group',
  EROFS: 'the control groups are mounted read-only',
} satisfies Hints;
