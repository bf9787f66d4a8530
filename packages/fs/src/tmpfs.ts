import type { Step } from '@ctr/syscall';

import { attributeKeys, attributesOf, mountAt, newMount, type Detached, type MountAttributes, type Naming } from './mount.js';
import { checkInteger, checkMode, checkOptions } from './options.js';
import { placeName, shortName, type Place } from './place.js';

/** How a tmpfs is made. `noSuid` and `noDev` are set unless said otherwise. */
export interface TmpfsOptions extends MountAttributes {
  /** How much it may hold. @default half of the memory of the machine */
  readonly sizeBytes?: number;
  /** How many files it may hold. @default the kernel's choice, by the memory of the machine */
  readonly inodes?: number;
  /** Permissions of its root directory. @default 0o1777 */
  readonly mode?: number;
  /** Owner of its root directory, as the caller's user namespace counts. @default who makes it */
  readonly uid?: number;
  /** Group of its root directory. @default who makes it */
  readonly gid?: number;
  /** What the mount table names as its source. @default 'tmpfs' */
  readonly source?: string;
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
  return mountAt(at, newTmpfs(options, { purpose: `a tmpfs for ${placeName(at)}`, as: shortName(at) }));
}

/**
 * A new tmpfs that is attached to nothing: files can be made in it before anybody sees it.
 *
 * @example
 * ```ts
 * import { attach, directory, newTmpfs, openPlace } from '@ctr/fs';
 * const { steps, mount } = newTmpfs({ mode: 0o755 });
 * const place = openPlace('/mnt');
 * const plan = [...steps, ...directory(mount, 'etc'), ...place.steps, ...attach(mount, place.fd)];
 * ```
 */
export function newTmpfs(options: TmpfsOptions = {}, naming: Naming = {}): Detached {
  checkOptions('tmpfs', options, ['sizeBytes', 'inodes', 'mode', 'uid', 'gid', 'source', ...attributeKeys]);
  const { sizeBytes, inodes, mode, uid, gid, source } = options;
  // Zero means no limit to the kernel: not what somebody who computes a size has in mind.
  if (sizeBytes !== undefined) checkInteger('sizeBytes', sizeBytes, 1);
  if (inodes !== undefined) checkInteger('inodes', inodes, 1);
  if (mode !== undefined) checkMode('a tmpfs', mode);
  if (uid !== undefined) checkInteger('uid', uid, 0, 0xfffffffe);
  if (gid !== undefined) checkInteger('gid', gid, 0, 0xfffffffe);
  return newMount('tmpfs', {
    ...naming,
    ...(source !== undefined && { source }),
    options: {
      ...(sizeBytes !== undefined && { size: `${sizeBytes}` }),
      ...(inodes !== undefined && { nr_inodes: `${inodes}` }),
      ...(mode !== undefined && { mode: mode.toString(8) }),
      ...(uid !== undefined && { uid: `${uid}` }),
      ...(gid !== undefined && { gid: `${gid}` }),
    },
    attributes: { noSuid: true, noDev: true, ...attributesOf(options) },
  });
}
