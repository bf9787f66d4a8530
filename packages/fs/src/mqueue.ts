import type { Step } from '@ctr/syscall';

import { attributeKeys, attributesOf, mountAt, newMount, type Detached, type MountAttributes, type Naming } from './mount.js';
import { checkOptions } from './options.js';
import { placeName, shortName, type Place } from './place.js';

/** Attributes of an mqueue file system. `noSuid`, `noDev` and `noExec` are set unless said otherwise. */
export type MqueueOptions = MountAttributes;

/**
 * Mounts the POSIX message queues of the IPC namespace of the process that takes this step.
 *
 * @see mq_overview(7)
 * @example
 * ```ts
 * import { mqueue } from '@ctr/fs';
 * const plan = mqueue('/dev/mqueue');
 * ```
 */
export function mqueue(at: Place, options: MqueueOptions = {}): Step[] {
  return mountAt(at, newMqueue(options, { purpose: `message queues for ${placeName(at)}`, as: shortName(at) }));
}

/**
 * An mqueue file system that is attached to nothing.
 *
 * @example
 * ```ts
 * import { newMqueue } from '@ctr/fs';
 * const { steps, mount } = newMqueue();
 * ```
 */
export function newMqueue(options: MqueueOptions = {}, naming: Naming = {}): Detached {
  checkOptions('mqueue', options, attributeKeys);
  return newMount('mqueue', { ...naming, attributes: { noSuid: true, noDev: true, noExec: true, ...attributesOf(options) } });
}
