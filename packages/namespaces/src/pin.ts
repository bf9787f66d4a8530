import { AT_FDCWD, atFlags, moveMountFlags, openFlags, openTreeFlags, resultOf, umountFlags, type Arg, type Fd, type Step } from '@ctr/syscall';

import { namespaceFile, type Namespace } from './kinds.js';
import { checkPid } from './pid.js';

/**
 * Steps that keep a namespace alive without a process in it, by mounting it onto a new file: `joinPath(at, kind)` joins it later, also from `ip netns`
 * if the file is in /run/netns. {@link unpin} undoes it.
 *
 * `target` is a pid, `'self'`, or the `Fd` of a namespace. The file `at` must not exist, and be on a path that only the caller can write to.
 * A `mount` namespace is pinned from outside of it, where the file's mount is private.
 *
 * Fails with EPERM without CAP_SYS_ADMIN, with EEXIST if there is a file of that name, with ENOENT if the process is gone,
 * with EINVAL or ELOOP for a mount namespace that is pinned inside of itself.
 *
 * @see namespaces(7)
 * @example Keep the network of a process
 * ```ts
 * import { pin } from '@ctr/namespaces';
 * const steps = pin(4711, 'net', '/run/netns/blue');
 * ```
 */
export function pin(target: number | 'self' | Fd, kind: Namespace, at: string): Step[] {
  const file = namespaceFile(kind);
  if (typeof target === 'number') checkPid(target);
  const steps: Step[] = [];
  let namespace: Arg;
  if (typeof target === 'object') namespace = target;
  else {
    const path = `/proc/${target}/ns/${file}`;
    const open: Step = {
      call: 'openat',
      args: [AT_FDCWD, path, openFlags.O_RDONLY | openFlags.O_CLOEXEC],
      purpose: `the ${kind} namespace to keep`,
      as: 'namespace',
    };
    steps.push(open);
    namespace = resultOf(open);
  }
  const tree: Step = {
    call: 'open_tree',
    args: [namespace, '', openTreeFlags.OPEN_TREE_CLONE | openTreeFlags.OPEN_TREE_CLOEXEC | atFlags.AT_EMPTY_PATH],
    purpose: 'a mount of it',
    as: 'tree',
    hints: { EPERM: 'mounting needs CAP_SYS_ADMIN in the user namespace that the mount namespace belongs to', EINVAL: 'the file is no namespace' },
  };
  // Made after the call that needs the privilege: without it, no file is left behind.
  const place: Step = {
    call: 'openat',
    args: [AT_FDCWD, at, openFlags.O_RDONLY | openFlags.O_CREAT | openFlags.O_EXCL | openFlags.O_CLOEXEC, 0],
    purpose: 'the file it is pinned to',
    as: 'pin',
    hints: { EEXIST: 'something is pinned there already: unpin it, or take another name' },
  };
  const attach: Step = {
    call: 'move_mount',
    args: [resultOf(tree), '', resultOf(place), '', moveMountFlags.MOVE_MOUNT_F_EMPTY_PATH | moveMountFlags.MOVE_MOUNT_T_EMPTY_PATH],
    purpose: `pin the ${kind} namespace`,
    hints: {
      ELOOP: 'a mount namespace cannot be pinned in itself, nor in a newer one',
      EINVAL: 'a mount namespace is pinned from outside of it, onto a mount that is private',
    },
  };
  steps.push(tree, place, attach);
  const opened = steps.filter((step) => step !== attach);
  return [...steps, ...opened.map((step): Step => ({ call: 'close', args: [resultOf(step)], purpose: 'it is in place' }))];
}

/**
 * Steps that undo {@link pin}: the namespace goes when its last process has ended, and the file goes at once.
 *
 * Fails with EINVAL if nothing is mounted there, with ENOENT if there is no such file, with EPERM without CAP_SYS_ADMIN.
 *
 * @example
 * ```ts
 * import { unpin } from '@ctr/namespaces';
 * const steps = unpin('/run/netns/blue');
 * ```
 */
export function unpin(at: string): Step[] {
  return [
    {
      call: 'umount2',
      args: [at, umountFlags.MNT_DETACH | umountFlags.UMOUNT_NOFOLLOW],
      purpose: 'unpin the namespace',
      hints: { EINVAL: 'nothing is pinned there' },
    },
    { call: 'unlinkat', args: [AT_FDCWD, at, 0], purpose: 'remove the file it was pinned to' },
  ];
}
