import { checkOptions, type Step } from '@ctr/syscall';

import { mountAt } from './attach.js';
import { checkInteger, checkMode } from './check.js';
import { mountKeys, newMount, newMountOf, type Detached, type MountOptions } from './mount.js';
import { placeName, shortName, type Place } from './place.js';

const PAGE_BYTES = 4096;
const LEAST_INODES = 1024;

/** How a tmpfs is made. `noSuid` and `noDev` are set unless said otherwise. */
export interface TmpfsOptions extends MountOptions {
  /** How much it may hold. @default half of the memory of the machine */
  readonly sizeBytes?: number;
  /** How many files it may hold. @default one for each 4096 bytes of `sizeBytes`, and 1024 at least; without a size, the kernel's choice, by the memory of the machine */
  readonly inodes?: number;
  /** Permissions of its root directory. @default 0o1777 */
  readonly mode?: number;
  /** Owner of its root directory, as the caller's user namespace counts. @default who makes it */
  readonly uid?: number;
  /** Group of its root directory. @default who makes it */
  readonly gid?: number;
}

/**
 * Mounts a new, empty tmpfs: files in memory, gone with the last use of the mount.
 *
 * The steps fail as {@link newMount}'s and {@link openPlace}'s do.
 *
 * @see tmpfs(5)
 * @example
 * ```ts
 * import { tmpfs } from '@ctr/fs';
 * const plan = tmpfs('/mnt', { sizeBytes: 16 * 2 ** 20, mode: 0o755, noExec: true });
 * ```
 */
export function tmpfs(at: Place, options: TmpfsOptions = {}): Step[] {
  return mountAt(at, tmpfsMount({ purpose: `a tmpfs for ${placeName(at)}`, as: shortName(at), ...options }));
}

/**
 * A new tmpfs that is attached to nothing: files can be made in it before anybody sees it.
 *
 * @example
 * ```ts
 * import { attach, directory, tmpfsMount, openPlace } from '@ctr/fs';
 * const { steps, mount } = tmpfsMount({ mode: 0o755 });
 * const place = openPlace('/mnt');
 * const plan = [...steps, directory(mount, 'etc'), ...place.steps, ...attach(mount, place.fd)];
 * ```
 */
export function tmpfsMount(options: TmpfsOptions = {}): Detached {
  checkOptions('tmpfs', options, ['sizeBytes', 'inodes', 'mode', 'uid', 'gid', ...mountKeys]);
  const { sizeBytes, mode, uid, gid } = options;
  // Zero means no limit to the kernel: not what somebody who computes a size has in mind.
  if (sizeBytes !== undefined) checkInteger('sizeBytes', sizeBytes, 1);
  // A file without content takes memory as well, which the size does not count. The kernel has one for each page of the default size.
  const { inodes = sizeBytes && Math.max(LEAST_INODES, Math.ceil(sizeBytes / PAGE_BYTES)) } = options;
  if (inodes !== undefined) checkInteger('inodes', inodes, 1);
  if (mode !== undefined) checkMode('a tmpfs', mode);
  if (uid !== undefined) checkInteger('uid', uid, 0, 0xfffffffe);
  if (gid !== undefined) checkInteger('gid', gid, 0, 0xfffffffe);
  const fileSystem = {
    ...(sizeBytes !== undefined && { size: `${sizeBytes}` }),
    ...(inodes !== undefined && { nr_inodes: `${inodes}` }),
    ...(mode !== undefined && { mode: mode.toString(8) }),
    ...(uid !== undefined && { uid: `${uid}` }),
    ...(gid !== undefined && { gid: `${gid}` }),
  };
  return newMount('tmpfs', newMountOf(options, { noSuid: true, noDev: true }, fileSystem));
}
