import { AT_FDCWD, atFlags, checkOptions, mountAttr, mountFlags, type Step } from '@ctr/syscall';

import { checkOneOf, checkPath } from './check.js';
import type { Handle } from './handle.js';
import { placeName } from './place.js';

const kinds = { private: mountFlags.MS_PRIVATE, slave: mountFlags.MS_SLAVE, shared: mountFlags.MS_SHARED, unbindable: mountFlags.MS_UNBINDABLE } as const;

/** Whether mounts made below a mount show up in its peers, and theirs in it. */
export type Propagation = keyof typeof kinds;

/**
 * Sets how mounts spread from and to a mount; with `recursive`, also for all mounts below it.
 * A new mount namespace should begin with this: `slave` lets the host's later mounts come in, `private` nothing; with either, none go out.
 *
 * The step fails with EINVAL if there is no mount at the place.
 *
 * @param at a path that the caller vouches for, or an open file: the root of a mount
 * @see mount_namespaces(7), mount_setattr(2)
 * @example
 * ```ts
 * import { propagation } from '@ctr/fs';
 * const plan = propagation('/', 'private', { recursive: true });
 * ```
 */
export function propagation(at: string | Handle, kind: Propagation, options: { readonly recursive?: boolean } = {}): Step[] {
  checkOptions('propagation', options, ['recursive']);
  checkOneOf('propagation', kind, Object.keys(kinds));
  if (typeof at === 'string') checkPath(at);
  const attr = mountAttr({ propagation: kinds[kind] });
  const flags = options.recursive ? atFlags.AT_RECURSIVE : 0;
  const [directory, path, how] = typeof at === 'string' ? [AT_FDCWD, at, flags] : [at, '', flags | atFlags.AT_EMPTY_PATH];
  return [
    {
      call: 'mount_setattr',
      args: [directory, path, how, attr, attr.byteLength],
      purpose: `make ${placeName(at)}${options.recursive ? ' and all below' : ''} ${kind}`,
      hints: { EINVAL: `${placeName(at)} is not the root of a mount` },
    },
  ];
}
