import { checkOptions, type ResultOf, type Step } from '@ctr/syscall';

import { attachBelow, closed, mountAt } from './attach.js';
import { devices, type DeviceNodes } from './devices.js';
import { devptsMount, type DevptsOptions } from './devpts.js';
import { directory } from './directory.js';
import type { Detached, Mounted } from './mount.js';
import { mqueueMount } from './mqueue.js';
import { placeName, shortName, type Place } from './place.js';
import { tmpfsMount } from './tmpfs.js';

/** What a `/dev` has. */
export interface DevOptions {
  /** How device files come about: `make` for root, `bind` in a user namespace, before the root is changed. */
  readonly nodes: DeviceNodes;
  /** How much the tmpfs itself may hold. @default 64 MiB */
  readonly sizeBytes?: number;
  /** Its terminals; `false` for none. */
  readonly pts?: DevptsOptions | false;
  /** Its shared memory; `false` for none. @default 64 MiB */
  readonly shm?: { readonly sizeBytes?: number } | false;
  /** Whether it has the message queues of the IPC namespace. @default false */
  readonly mqueue?: boolean;
}

const DEFAULT_SIZE_BYTES = 64 * 2 ** 20;

/**
 * Mounts a whole `/dev`: a tmpfs with the usual devices and links, `pts`, `shm` and, if asked for, `mqueue`.
 *
 * After the tmpfs is attached, everything is made relative to it and never by looking the place up again: what an image has there (a link, for instance) is out of the game.
 *
 * Returns its mount along with the steps: for whatever else goes into it, such as another device or a console.
 *
 * @example
 * ```ts
 * import { dev, device, inRoot } from '@ctr/fs';
 * import { openFd } from '@ctr/syscall';
 * using root = openFd('/srv', { directory: true });
 * const { steps, mount } = dev(inRoot(root, '/dev'), { nodes: 'make', mqueue: true });
 * const plan = [...steps, device(mount, 'fuse', { major: 10, minor: 229 })];
 * ```
 */
export function dev(at: Place, options: DevOptions): Mounted {
  checkOptions('dev', options, ['nodes', 'sizeBytes', 'pts', 'shm', 'mqueue']);
  const { nodes, sizeBytes = DEFAULT_SIZE_BYTES, pts = {}, shm = {}, mqueue = false } = options;
  if (shm) checkOptions('shm', shm, ['sizeBytes']);
  const tmpfs = tmpfsMount({ sizeBytes, mode: 0o755, noDev: false, purpose: `a tmpfs for ${placeName(at)}`, as: shortName(at) });
  const sharedMemory = shm && {
    sizeBytes: shm.sizeBytes ?? DEFAULT_SIZE_BYTES,
    mode: 0o1777,
    noExec: true,
    source: 'shm',
    purpose: 'shared memory',
    as: 'shm',
  };
  // A mount can only be attached to one that is itself attached (before Linux 6.15): the tmpfs goes first.
  const steps = [
    ...mountAt(at, tmpfs, { keep: true }),
    ...devices(tmpfs.mount, { nodes }),
    ...(pts ? below(tmpfs.mount, 'pts', devptsMount({ purpose: 'terminals', as: 'pts', ...pts })) : []),
    ...(sharedMemory ? below(tmpfs.mount, 'shm', tmpfsMount(sharedMemory)) : []),
    ...(mqueue ? below(tmpfs.mount, 'mqueue', mqueueMount()) : []),
  ];
  return { steps, mount: tmpfs.mount };
}

function below(parent: ResultOf, name: string, { steps, mount }: Detached): Step[] {
  return [directory(parent, name), ...steps, attachBelow(mount, parent, name), closed(mount, 'it is attached')];
}
