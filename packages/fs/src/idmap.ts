import { atFlags, checkOptions, mountAttr, mountAttrs, type Step } from '@ctr/syscall';

import type { Handle } from './handle.js';

/**
 * Maps the owners of files on a mount by the id map of a user namespace: a file of the host's id that the map calls 0 inside is shown as root's,
 * and what root writes belongs to that id. The files themselves are not changed. With `recursive`, all mounts below are mapped too.
 *
 * The mount has to be a new one that is attached to nothing ({@link bindMount}), and not be mapped already.
 *
 * The step fails with EINVAL for a file system that cannot be mapped (on Linux 5.14: all but ext4, XFS and FAT; btrfs since 5.15, overlay as a layer since 5.19, tmpfs since 6.3),
 * for a mount that is attached, and for the initial user namespace; EPERM without CAP_SYS_ADMIN over the file system itself; EBUSY for a mount on which files are open for writing.
 *
 * @param userNamespace the user namespace whose map it is: an open `/proc/PID/ns/user`
 * @see mount_setattr(2): MOUNT_ATTR_IDMAP
 * @example
 * ```ts
 * import { bindMount, idmap } from '@ctr/fs';
 * import { openFd, openFlags } from '@ctr/syscall';
 * using userNamespace = openFd('/proc/self/ns/user', { flags: openFlags.O_RDONLY });
 * const { steps, mount } = bindMount('/srv');
 * const plan = [...steps, ...idmap(mount, userNamespace)];
 * ```
 */
export function idmap(mount: Handle, userNamespace: Handle, options: { readonly recursive?: boolean } = {}): Step[] {
  checkOptions('idmap', options, ['recursive']);
  const attr = mountAttr({ attr_set: mountAttrs.MOUNT_ATTR_IDMAP });
  return [
    { call: 'add', args: [userNamespace, 0], purpose: 'the user namespace whose map is taken', into: attr.field('userns_fd') },
    {
      call: 'mount_setattr',
      args: [mount, '', atFlags.AT_EMPTY_PATH | (options.recursive ? atFlags.AT_RECURSIVE : 0), attr, attr.byteLength],
      purpose: 'map the owners of its files',
      hints: {
        EINVAL:
          'the type of file system cannot be id-mapped on this kernel, or the mount is attached or mapped already, or the user namespace is the initial one',
        EPERM: 'id-mapping a mount needs CAP_SYS_ADMIN in the user namespace that the file system was mounted in, which for a disk is the initial one',
        EBUSY: 'a file on the mount is open for writing',
      },
    },
  ];
}
