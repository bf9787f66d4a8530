import type { Step } from '@ctr/syscall';

import { flagsOf, listed, type Namespace } from './kinds.js';

/**
 * Steps that move the process into new namespaces of the given kinds. With none, no steps.
 *
 * A `user` namespace among them is made first by the kernel, so the others belong to it, and no privilege is needed.
 * Where ids are mapped, make it alone, map them, and then make the others: what the kernel sets up with a namespace
 * (the loopback device of `net`, the message queues of `ipc`) is owned by the ids that are mapped at that moment.
 *
 * `pid` and `time` take effect for the next process, not for this one: go on with `continueInChild()` of @ctr/syscall,
 * with `memory: 'copied'` for `time`.
 *
 * Fails with EPERM without CAP_SYS_ADMIN (or, for `user`, where ordinary users must not make them), with ENOSPC or EUSERS at a limit on namespaces,
 * with EINVAL for `user` in a process that has threads: in Node, `launch` it, not `perform`.
 * Throws a `TypeError` for an unknown kind or one that is named twice.
 *
 * @see unshare(2), namespaces(7)
 * @example A process with a mount and a UTS namespace of its own
 * ```ts
 * import { create } from '@ctr/namespaces';
 * import { explain } from '@ctr/syscall';
 * console.log(explain(create('mount', 'uts')));
 * // 1  unshare(CLONE_NEWNS|CLONE_NEWUTS)  # new mount and uts namespaces
 * ```
 */
export function create(...kinds: Namespace[]): Step[] {
  const flags = flagsOf(kinds);
  if (flags === 0) return [];
  return [
    {
      call: 'unshare',
      args: [flags],
      purpose: `new ${listed(kinds)}`,
      ...(kinds.includes('user') && {
        hints: { EINVAL: 'a process with threads, as Node is, cannot move into a new user namespace: launch the plan instead of performing it' },
      }),
    },
  ];
}

/**
 * The flags of `clone` by which a new process is made in new namespaces of the given kinds: the `namespaces` option of `continueInChild`.
 * It is one call fewer than `create` and then `continueInChild`, and the new process is in its pid namespace at once.
 *
 * Throws a `TypeError` for an unknown kind or one that is named twice, and for `time`, which clone(2) has no room for: use {@link create}.
 *
 * @see clone(2)
 * @example The first process of a new pid namespace
 * ```ts
 * import { createFlags } from '@ctr/namespaces';
 * import { continueInChild } from '@ctr/syscall';
 * const steps = continueInChild({ namespaces: createFlags(['pid', 'mount']) });
 * ```
 */
export function createFlags(kinds: readonly Namespace[]): number {
  // CLONE_NEWTIME lies in the byte that clone(2) takes the exit signal from.
  if (kinds.includes('time')) throw new TypeError("clone(2) cannot make a time namespace: use create('time') before it");
  return flagsOf(kinds);
}
