import { checkOptions, moveMountFlags, umountFlags, type Step } from '@ctr/syscall';

import { checkBelow, checkPath } from './check.js';
import type { Handle } from './handle.js';
import type { Detached } from './mount.js';
import { openPlace, placeName, type Place } from './place.js';

/**
 * Attaches a mount to a place: from here on it is seen there, on top of what was.
 * Both are open files, so that no path is looked up.
 *
 * The step fails with EINVAL where one of the two is a directory and the other is not, where the place is in another mount namespace or on a mount that is itself not attached,
 * and with ENOENT where the place has been removed.
 *
 * @see move_mount(2)
 * @example
 * ```ts
 * import { attach, newMount, openPlace } from '@ctr/fs';
 * const { steps, mount } = newMount('tmpfs');
 * const place = openPlace('/mnt');
 * const plan = [...steps, ...place.steps, ...attach(mount, place.fd)];
 * ```
 */
export function attach(mount: Handle, place: Handle, purpose = 'attach it'): Step[] {
  return [
    {
      call: 'move_mount',
      args: [mount, '', place, '', moveMountFlags.MOVE_MOUNT_F_EMPTY_PATH | moveMountFlags.MOVE_MOUNT_T_EMPTY_PATH],
      purpose,
      hints: moveHints,
    },
  ];
}

/**
 * Attaches a mount to a path below an open directory, in one call. A link at the end of the path is an error (EINVAL), but those on the way are followed:
 * this is for directories that are the caller's own, such as those of a new tmpfs; {@link inRoot} is for all others.
 *
 * The step fails as {@link attach}'s does.
 *
 * @see move_mount(2)
 * @example
 * ```ts
 * import { attachBelow, bindMount, directory, openPlace, tmpfs } from '@ctr/fs';
 * const { steps, fd } = openPlace('/mnt');
 * const usr = bindMount('/usr', { readonly: true });
 * const plan = [...tmpfs('/mnt'), ...steps, directory(fd, 'usr'), ...usr.steps, attachBelow(usr.mount, fd, 'usr')];
 * ```
 */
export function attachBelow(mount: Handle, parent: Handle, path: string, purpose = `attach it to ${path}`): Step {
  checkBelow(path);
  return { call: 'move_mount', args: [mount, '', parent, path, moveMountFlags.MOVE_MOUNT_F_EMPTY_PATH], purpose, hints: moveHints };
}

/** Makes a detached mount and attaches it to a place. Neither stays open, unless the mount is to `keep`. */
export function mountAt(place: Place, { steps, mount }: Detached, { directory = true, keep = false } = {}): Step[] {
  const opened = openPlace(place, { directory });
  return [
    ...opened.steps,
    ...steps,
    ...attach(mount, opened.fd, `attach it to ${placeName(place)}`),
    ...(keep ? [] : [closed(mount, 'it is attached')]),
    ...(opened.steps.length > 0 ? [closed(opened.fd, `${placeName(place)} is found`)] : []),
  ];
}

/** Closes what the plan has opened and needs no more: the limit of open files that the caller has counts for a set-up, too. */
export function closed(file: Handle, purpose: string): Step {
  return { call: 'close', args: [file], purpose };
}

/**
 * Unmounts what is on top at a path that the caller vouches for; a link at its end is not followed.
 *
 * The step fails with EBUSY while files on it are in use (unless `detach` is set), and so for a mount that the plan itself has made and holds open; EINVAL where nothing is mounted, or what is there is locked.
 *
 * @param options.detach take it out of sight now, and end it when nobody uses it any more
 * @see umount2(2)
 * @example
 * ```ts
 * import { unmount } from '@ctr/fs';
 * const plan = unmount('/mnt', { detach: true });
 * ```
 */
export function unmount(at: string, options: { readonly detach?: boolean } = {}): Step[] {
  checkOptions('unmount', options, ['detach']);
  checkPath(at);
  return [
    {
      call: 'umount2',
      args: [at, umountFlags.UMOUNT_NOFOLLOW | (options.detach ? umountFlags.MNT_DETACH : 0)],
      purpose: `unmount ${at}`,
      hints: {
        EBUSY: 'a process works in it, has a file on it (or the mount itself) open, or something is mounted below it: detach does not wait for that',
        EINVAL: `${at} is not a mount point, or is locked`,
      },
    },
  ];
}

const moveHints = {
  EINVAL:
    'one of the two is a directory and the other is a file, or the place is in another mount namespace or on a mount that is not attached yet, or the mount is attached already below a shared one',
  ENOENT: 'the place has been removed meanwhile',
  ELOOP: 'a mount cannot be moved to a place below itself',
} as const;
