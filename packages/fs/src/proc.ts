import { checkOptions, type Step } from '@ctr/syscall';

import { mountAt } from './attach.js';
import { checkOneOf } from './check.js';
import { mountKeys, newMount, newMountOf, type Detached, type MountOptions } from './mount.js';
import { placeName, shortName, withoutSymlinks, type Place } from './place.js';

/** How a proc file system is made. `noSuid`, `noDev` and `noExec` are set unless said otherwise. */
export interface ProcOptions extends MountOptions {
  /**
   * What a process sees of those that it may not trace:
   * everything (`off`), their directories only (`noaccess`), nothing (`invisible`), or, for every user alike, nothing that ptrace(2) would not reach (`ptraceable`).
   * @default 'off'
   */
  readonly hidePid?: 'off' | 'noaccess' | 'invisible' | 'ptraceable';
  /** Show processes only, and nothing of the system around them. */
  readonly subset?: 'pid';
}

/**
 * Mounts a fresh proc: it shows the pid namespace of the process that takes this step.
 * Below a root, a symbolic link in the place is refused (ELOOP): an image must not choose where proc goes.
 *
 * The steps fail with EPERM in a user namespace that does not own the pid namespace, or in which parts of proc are mounted over (as in most containers):
 * there the kernel gives no fresh one.
 *
 * @see proc(5): hidepid, subset
 * @example
 * ```ts
 * import { proc } from '@ctr/fs';
 * const plan = proc('/proc', { hidePid: 'invisible' });
 * ```
 */
export function proc(at: Place, options: ProcOptions = {}): Step[] {
  return mountAt(withoutSymlinks(at), procMount({ purpose: `a fresh proc for ${placeName(at)}`, as: shortName(at), ...options }));
}

/**
 * A fresh proc that is attached to nothing: what is written below it is certain to be proc's.
 *
 * @example
 * ```ts
 * import { procMount } from '@ctr/fs';
 * const { steps, mount } = procMount({ subset: 'pid' });
 * ```
 */
export function procMount(options: ProcOptions = {}): Detached {
  checkOptions('proc', options, ['hidePid', 'subset', ...mountKeys]);
  const { hidePid, subset } = options;
  if (hidePid !== undefined) checkOneOf('hidePid', hidePid, ['off', 'noaccess', 'invisible', 'ptraceable']);
  if (subset !== undefined) checkOneOf('subset', subset, ['pid']);
  const fileSystem = { ...(hidePid !== undefined && { hidepid: hidePid }), ...(subset !== undefined && { subset }) };
  return newMount('proc', newMountOf(options, { noSuid: true, noDev: true, noExec: true }, fileSystem));
}
