import { AT_FDCWD, openFlags, resultOf, type Fd, type Step } from '@ctr/syscall';

import { flagsOf, listed, namespaceFlag, type Namespace } from './kinds.js';
import { checkPid } from './pid.js';

/**
 * Steps that move the process into namespaces of another process, all in one call: into all of them or none.
 *
 * `target` is a pid; or an `Fd`, which is either a pidfd, or (for one kind) a file of `/proc/PID/ns` or one that a namespace is pinned to.
 * A pid may have been given to another process by the time it is used. Of a process that is not the caller's own child, pass a pidfd.
 *
 * `user` gives the right to join what belongs to that user namespace, and takes all other rights.
 * `pid` takes effect for the next process, not for this one, which stays visible outside only: go on with `continueInChild()` of @ctr/syscall.
 * `time` wants a process whose memory nobody shares, and takes effect at once. `mount` sets the root and the working directory to the root of the one joined.
 *
 * Fails with EPERM without CAP_SYS_ADMIN in the target's and, but for `user`, in the own user namespace, with ESRCH if the process is gone,
 * with EINVAL for `user` if the process is in it already or has threads: in Node, `launch` it, not `perform`.
 * Throws a `TypeError` for an unknown kind, one that is named twice, or none at all.
 *
 * @see setns(2), pidfd_open(2)
 * @example Run a program where another one runs
 * ```ts
 * import { join } from '@ctr/namespaces';
 * import { continueInChild, type Plan } from '@ctr/syscall';
 * const plan: Plan = [
 *   ...join(4711, 'mount', 'pid', 'net'),
 *   ...continueInChild(),
 *   { call: 'execve', args: ['/bin/sh', ['sh'], []], purpose: 'the program' },
 * ];
 * ```
 */
export function join(target: number | Fd, ...kinds: Namespace[]): Step[] {
  const flags = flagsOf(kinds);
  if (flags === 0) throw new TypeError('join: no kind of namespace is named');
  const setns = (fd: Fd | ReturnType<typeof resultOf>, whose: string): Step => ({
    call: 'setns',
    args: [fd, flags],
    purpose: `join the ${listed(kinds)} of ${whose}`,
    hints: {
      EINVAL: kinds.includes('user')
        ? 'a process cannot join the user namespace it is in, nor any if it has threads, as Node has: launch the plan instead of performing it'
        : 'the file is neither a pidfd nor a namespace of this kind',
      EUSERS: 'a process that shares its memory cannot join a time namespace: continueInChild({ memory: "copied" })',
      ESRCH: 'the process has ended',
    },
  });
  if (typeof target !== 'number') return [setns(target, String(target))];
  checkPid(target);
  const open: Step = {
    call: 'pidfd_open',
    args: [target, 0],
    purpose: `hold on to process ${target}`,
    as: 'target',
    hints: { ESRCH: 'no process has this pid' },
  };
  return [open, setns(resultOf(open), `process ${target}`), { call: 'close', args: [resultOf(open)], purpose: 'let go of it' }];
}

/**
 * Steps that move the process into the namespace that a file stands for: one of `/proc/PID/ns`, or one that it is pinned to, as `ip netns` does.
 *
 * The path is looked up when the step is reached. It must not be one that a container can influence: open such a file before, and use {@link join} with the `Fd`.
 *
 * Fails with ENOENT or EACCES if there is no such file, with EINVAL if it is no namespace of this kind, with EPERM without CAP_SYS_ADMIN.
 *
 * @see setns(2)
 * @example
 * ```ts
 * import { joinPath } from '@ctr/namespaces';
 * const steps = joinPath('/run/netns/blue', 'net');
 * ```
 */
export function joinPath(path: string, kind: Namespace): Step[] {
  const open: Step = { call: 'openat', args: [AT_FDCWD, path, openFlags.O_RDONLY | openFlags.O_CLOEXEC], purpose: `a ${kind} namespace`, as: kind };
  return [
    open,
    {
      call: 'setns',
      args: [resultOf(open), namespaceFlag(kind)],
      purpose: `join the ${kind} namespace`,
      hints: { EINVAL: `${path} is not a ${kind} namespace` },
    },
    { call: 'close', args: [resultOf(open)], purpose: 'the file is not needed any more' },
  ];
}
