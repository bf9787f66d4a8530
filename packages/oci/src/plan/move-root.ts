import { readFileSync } from 'node:fs';

import { attach, parseMountinfo, propagation, tmpfsMount, type Mount } from '@ctr/fs';
import { AT_FDCWD, label, moveMountFlags, openFlags, resultOf, umountFlags, type ResultOf, type Step } from '@ctr/syscall';

import { closed } from './attributes.js';

/**
 * The new root goes over the old one, which stays below: a ramdisk allows nothing else. All that is mounted below the old root is unmounted, since
 * the kernel lets a process of the container mount a fresh proc or sysfs, without the covers of masked paths, as long as an uncovered one is mounted anywhere in the mount namespace.
 * Where a user namespace keeps mounts from being unmounted, each proc and sysfs among them is covered.
 *
 * @param old the old root, opened
 * @see mount_too_revealing() of fs/namespace.c
 */
export function moveRoot(root: ResultOf, old: ResultOf): Step[] {
  return [
    // What is unmounted here must stay mounted where it came from.
    ...propagation(old, 'slave', { recursive: true }),
    { call: 'move_mount', args: [root, '', AT_FDCWD, '/', moveMountFlags.MOVE_MOUNT_F_EMPTY_PATH], purpose: 'the new root is on top of the old one' },
    { call: 'chroot', args: ['.'], purpose: 'make it the root' },
    { call: 'fchdir', args: [old], purpose: 'back to the old root' },
    ...dropMounts(parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'))),
    { call: 'chdir', args: ['/'], purpose: 'start at the new root' },
  ];
}

/** From the old root as the working directory. What is mounted below a mount goes with it. */
function dropMounts(mounts: readonly Mount[]): Step[] {
  const top = mounts.findLast(({ mountPoint }) => mountPoint === '/');
  const ids = new Set(mounts.map(({ id }) => id));
  const isBelowRoot = ({ mountPoint, parent }: Mount): boolean => mountPoint !== '/' && (parent === top?.id || !ids.has(parent));
  const direct = new Set(mounts.filter(isBelowRoot).map(({ mountPoint }) => mountPoint));
  // Several may be on top of one another, the last one first.
  return mounts.filter(({ mountPoint }) => direct.has(mountPoint)).flatMap((mount) => drop(mount, mounts));
}

function drop({ mountPoint }: Mount, mounts: readonly Mount[]): Step[] {
  const next = label(`${mountPoint} is out of reach`);
  const revealing = mounts.filter(
    ({ mountPoint: at, type, root }) => root === '/' && (type === 'proc' || type === 'sysfs') && `${at}/`.startsWith(`${mountPoint}/`),
  );
  return [
    {
      call: 'umount2',
      args: [`.${mountPoint}`, umountFlags.MNT_DETACH | umountFlags.UMOUNT_NOFOLLOW],
      purpose: `unmount ${mountPoint} of the old root`,
      tolerates: ['EINVAL', 'EPERM', 'ENOENT'],
      jump: { when: '==', to: next },
    },
    ...revealing.flatMap(({ mountPoint: at }) => cover(at)),
    next,
  ];
}

function cover(mountPoint: string): Step[] {
  const next = label(`${mountPoint} is covered`);
  const place: Step = {
    call: 'openat',
    args: [AT_FDCWD, `.${mountPoint}`, openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_NOFOLLOW | openFlags.O_CLOEXEC, 0],
    purpose: `${mountPoint} of the old root`,
    as: 'revealing',
    tolerates: ['ENOENT'],
    jump: { when: '<', than: 0, to: next },
  };
  const empty = tmpfsMount({ readonly: true, noExec: true, purpose: `an empty directory to cover ${mountPoint} with`, as: 'empty' });
  return [
    place,
    ...empty.steps,
    ...attach(empty.mount, resultOf(place), `cover ${mountPoint} of the old root`),
    closed(empty.mount),
    closed(resultOf(place)),
    next,
  ];
}
