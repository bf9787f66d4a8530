import { checkOptions, type Step } from '@ctr/syscall';

import { mountAt } from './attach.js';
import { mountKeys, newMount, newMountOf, type Detached, type MountOptions } from './mount.js';
import { placeName, shortName, withoutSymlinks, type Place } from './place.js';

/** How a sysfs is mounted. `readonly`, `noSuid`, `noDev` and `noExec` are set unless said otherwise. */
export type SysfsOptions = MountOptions;

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
  return mountAt(withoutSymlinks(at), sysfsMount({ purpose: `a sysfs for ${placeName(at)}`, as: shortName(at), ...options }));
}

/**
 * A sysfs that is attached to nothing.
 *
 * @example
 * ```ts
 * import { sysfsMount } from '@ctr/fs';
 * const { steps, mount } = sysfsMount();
 * ```
 */
export function sysfsMount(options: SysfsOptions = {}): Detached {
  checkOptions('sysfs', options, mountKeys);
  return newMount('sysfs', newMountOf(options, { readonly: true, noSuid: true, noDev: true, noExec: true }));
}
