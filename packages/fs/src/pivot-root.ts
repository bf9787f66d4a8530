import { umountFlags, type Step } from '@ctr/syscall';

import { checkPath } from './check.js';
import type { Handle } from './handle.js';
import { placeName } from './place.js';

/**
 * Makes a mount the root of the mount namespace and drops the old root, with all that was mounted below it.
 * Only open files lead to the old one from here on.
 *
 * The old root is put on top of the new one for a moment, at the same place, and unmounted there: no directory for it is needed.
 *
 * The steps fail with EINVAL if the new root is not the root of a mount that is attached below the present one, or if it or its parent is shared ({@link propagation});
 * EBUSY if it is the present root, or a plain directory on it; EPERM without CAP_SYS_ADMIN.
 *
 * @param newRoot a path that the caller vouches for, or an open directory
 * @see pivot_root(2): pivot_root(".", ".")
 * @example
 * ```ts
 * import { bind, pivotRoot, propagation } from '@ctr/fs';
 * const plan = [...propagation('/', 'private', { recursive: true }), ...bind('/srv/rootfs', '/srv/rootfs', { recursive: true }), ...pivotRoot('/srv/rootfs')];
 * ```
 */
export function pivotRoot(newRoot: string | Handle): Step[] {
  if (typeof newRoot === 'string') checkPath(newRoot);
  const go: Step =
    typeof newRoot === 'string'
      ? { call: 'chdir', args: [newRoot], purpose: `go to the new root ${newRoot}` }
      : { call: 'fchdir', args: [newRoot], purpose: `go to the new root ${placeName(newRoot)}` };
  return [
    go,
    {
      call: 'pivot_root',
      args: ['.', '.'],
      purpose: 'make it the root; the old one is on top of it now',
      hints: {
        EINVAL:
          'the new root has to be the root of a mount (bind it onto itself if it is a plain directory), and neither it nor the mount it is on may be shared; on an initramfs there is no root to pivot from',
        EBUSY: 'the new root is the present root, or a plain directory on the same mount: bind it onto itself',
      },
    },
    { call: 'umount2', args: ['.', umountFlags.MNT_DETACH], purpose: 'drop the old root' },
    { call: 'chdir', args: ['/'], purpose: 'start at the new root' },
  ];
}
