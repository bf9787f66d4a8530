import { checkOptions, type Step } from '@ctr/syscall';

import { mountAt } from './attach.js';
import { mountKeys, newMount, newMountOf, type Detached, type MountOptions } from './mount.js';
import { placeName, shortName, type Place } from './place.js';

/** How an mqueue file system is mounted. `noSuid`, `noDev` and `noExec` are set unless said otherwise. */
export type MqueueOptions = MountOptions;

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
  return mountAt(at, mqueueMount({ purpose: `message queues for ${placeName(at)}`, as: shortName(at), ...options }));
}

/**
 * An mqueue file system that is attached to nothing.
 *
 * @example
 * ```ts
 * import { mqueueMount } from '@ctr/fs';
 * const { steps, mount } = mqueueMount();
 * ```
 */
export function mqueueMount(options: MqueueOptions = {}): Detached {
  checkOptions('mqueue', options, mountKeys);
  return newMount('mqueue', newMountOf(options, { noSuid: true, noDev: true, noExec: true }));
}
