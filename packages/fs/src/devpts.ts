import { checkOptions, type Step } from '@ctr/syscall';

import { mountAt } from './attach.js';
import { checkInteger, checkMode } from './check.js';
import { mountKeys, newMount, newMountOf, type Detached, type MountOptions } from './mount.js';
import { placeName, shortName, type Place } from './place.js';

/** How a devpts is made. `noSuid` and `noExec` are set unless said otherwise. */
export interface DevptsOptions extends MountOptions {
  /** Permissions of its `ptmx`, with which terminals are made. @default 0o666 */
  readonly ptmxMode?: number;
  /** Permissions of a new terminal. @default 0o620 */
  readonly mode?: number;
  /** Group of a new terminal; `null` for that of the process that makes it, where the group `tty` is not mapped into the user namespace. @default 5, which is `tty` */
  readonly gid?: number | null;
  /** How many terminals there may be. @default the system's limit */
  readonly max?: number;
}

/**
 * Mounts a new instance of devpts: pseudoterminals that are nobody else's.
 *
 * The steps fail with EINVAL for a `gid` that the user namespace does not map.
 *
 * @see pts(4), devpts in mount(8)
 * @example
 * ```ts
 * import { devpts } from '@ctr/fs';
 * const plan = devpts('/dev/pts', { gid: null });
 * ```
 */
export function devpts(at: Place, options: DevptsOptions = {}): Step[] {
  return mountAt(at, devptsMount({ purpose: `terminals for ${placeName(at)}`, as: shortName(at), ...options }));
}

/**
 * A new instance of devpts that is attached to nothing.
 *
 * @example
 * ```ts
 * import { devptsMount } from '@ctr/fs';
 * const { steps, mount } = devptsMount({ max: 16 });
 * ```
 */
export function devptsMount(options: DevptsOptions = {}): Detached {
  checkOptions('devpts', options, ['ptmxMode', 'mode', 'gid', 'max', ...mountKeys]);
  const { ptmxMode = 0o666, mode = 0o620, gid = 5, max } = options;
  checkMode('ptmx', ptmxMode);
  checkMode('a terminal', mode);
  if (gid !== null) checkInteger('gid', gid, 0, 0xfffffffe);
  if (max !== undefined) checkInteger('max', max, 0, 1 << 20);
  const fileSystem = {
    ptmxmode: ptmxMode.toString(8),
    mode: mode.toString(8),
    ...(gid !== null && { gid: `${gid}` }),
    ...(max !== undefined && { max: `${max}` }),
  };
  return newMount('devpts', newMountOf(options, { noSuid: true, noExec: true }, fileSystem));
}
