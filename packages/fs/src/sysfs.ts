import type { Step } from '@ctr/syscall';

import { attributeKeys, attributesOf, mountAt, newMount, type Detached, type MountAttributes, type Naming } from './mount.js';
import { checkOptions } from './options.js';
import { placeName, shortName, withoutSymlinks, type Place } from './place.js';

/** Attributes of a sysfs. `readonly`, `noSuid`, `noDev` and `noExec` are set unless said otherwise. */
export type SysfsOptions = MountAttributes;

/**
 * Mounts sysfs: devices and their drivers; of network interfaces it shows those of the network namespace of the process that takes this step.
 * Below a root, a symbolic link in the place is refused (ELOOP): an image must not choose where sysfs goes.
 *
 * The steps fail with EPERM in a user namespace that does not own the network namespace: there a read-only, recursive {@link bind} of the host's is what can be had.
 *
 * @see sysfs(5)
 * @example
 * ```ts
 * import { sysfs } from '@ctr/fs';
 * const plan = sysfs('/sys');
 * ```
 */
export function sysfs(at: Place, options: SysfsOptions = {}): Step[] {
  return mountAt(withoutSymlinks(at), newSysfs(options, { purpose: `a sysfs for ${placeName(at)}`, as: shortName(at) }));
}

/**
 * A sysfs that is attached to nothing.
 *
 * @example
 * ```ts
 * import { newSysfs } from '@ctr/fs';
 * const { steps, mount } = newSysfs();
 * ```
 */
export function newSysfs(options: SysfsOptions = {}, naming: Naming = {}): Detached {
  checkOptions('sysfs', options, attributeKeys);
  return newMount('sysfs', { ...naming, attributes: { readonly: true, noSuid: true, noDev: true, noExec: true, ...attributesOf(options) } });
}
