import type { ResultOf, Step } from '@ctr/syscall';

import { devices, type DeviceNodes } from './devices.js';
import { newDevpts, type DevptsOptions } from './devpts.js';
import { directory } from './directory.js';
import { attachName, mountAt, type Detached } from './mount.js';
import { newMqueue } from './mqueue.js';
import { checkOptions } from './options.js';
import { placeName, shortName, type Place } from './place.js';
import { newTmpfs } from './tmpfs.js';

/** What a /dev has. */
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
  /** More steps, which find the new /dev and its terminals open: another device, a console. */
  readonly more?: (mounts: DevMounts) => readonly Step[];
}

/** What a new /dev is made of, as open mounts. */
export interface DevMounts {
  readonly dev: ResultOf;
  readonly pts: ResultOf | undefined;
}

const DEFAULT_SIZE_BYTES = 64 * 2 ** 20;

/**
 * Mounts a whole `/dev`: a tmpfs with the usual devices and links, `pts`, `shm` and, if asked for, `mqueue`.
 *
 * After the tmpfs is attached, everything is made relative to it and never by looking the place up again: what an image has there (a link, for instance) is out of the game.
 *
 * @example
 * ```ts
 * import { dev, device, inRoot } from '@ctr/fs';
 * import { openFd } from '@ctr/syscall';
 * using root = openFd('/srv', { directory: true });
 * const plan = dev(inRoot(root, '/dev'), { nodes: 'make', mqueue: true, more: ({ dev }) => device(dev, 'fuse', { major: 10, minor: 229 }) });
 * ```
 */
export function dev(at: Place, options: DevOptions): Step[] {
  checkOptions('dev', options, ['nodes', 'sizeBytes', 'pts', 'shm', 'mqueue', 'more']);
  const { nodes, sizeBytes = DEFAULT_SIZE_BYTES, shm = {}, mqueue = false, more } = options;
  if (shm) checkOptions('shm', shm, ['sizeBytes']);
  const tmpfs = newTmpfs({ sizeBytes, mode: 0o755, noDev: false, atime: 'strictatime' }, { purpose: `a tmpfs for ${placeName(at)}`, as: shortName(at) });
  const pts = options.pts === false ? undefined : newDevpts(options.pts, { purpose: 'terminals', as: 'pts' });
  // A mount can only be attached to one that is itself attached (before Linux 6.15): the tmpfs goes first.
  return [
    ...mountAt(at, tmpfs),
    ...devices(tmpfs.mount, { nodes }),
    ...(pts ? below(tmpfs.mount, 'pts', pts) : []),
    ...(shm ? below(tmpfs.mount, 'shm', newTmpfs({ sizeBytes: shm.sizeBytes ?? DEFAULT_SIZE_BYTES, mode: 0o1777, noExec: true, source: 'shm' }, { purpose: 'shared memory', as: 'shm' })) : []),
    ...(mqueue ? below(tmpfs.mount, 'mqueue', newMqueue({}, { purpose: 'message queues' })) : []),
    ...(more?.({ dev: tmpfs.mount, pts: pts?.mount }) ?? []),
  ];
}

function below(dev: ResultOf, name: string, { steps, mount }: Detached): Step[] {
  return [...directory(dev, name), ...steps, attachName(mount, dev, name, `attach it to ${name}`)];
}
