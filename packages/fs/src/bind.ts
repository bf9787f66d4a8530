import { AT_FDCWD, atFlags, checkOptions, openTreeFlags, resultOf, type Step } from '@ctr/syscall';

import { mountAt } from './attach.js';
import { attributesOf, setAttributes, type MountAttributes } from './attributes.js';
import { checkOneOf, checkPath } from './check.js';
import type { Handle } from './handle.js';
import { idmap } from './idmap.js';
import { bindKeys, type Detached, type StepOptions } from './mount.js';
import { placeName, shortName, type Place } from './place.js';

/** What of a tree is mounted, and how. */
export interface BindMountOptions extends MountAttributes, StepOptions {
  /** With all that is mounted below it; attributes and the id map apply to all of it then. @default false */
  readonly recursive?: boolean;
  /** The user namespace by whose map owners are shown: see {@link idmap}. */
  readonly idMap?: Handle;
}

/** How a bind is made. */
export interface BindOptions extends BindMountOptions {
  /** Whether a directory is mounted on a directory, or a file (of any type but a directory) on a file. @default 'directory' */
  readonly kind?: 'directory' | 'file';
}

/**
 * Shows a directory or file at a second place.
 *
 * `from` is a path that the caller vouches for (links are followed), or an open file of the mount namespace in which the steps are taken.
 *
 * The steps fail with EINVAL for a file of another mount namespace, or an unbindable mount; ENOENT; EINVAL too where `kind` is wrong.
 *
 * @see open_tree(2), mount_setattr(2), move_mount(2)
 * @example
 * ```ts
 * import { bind } from '@ctr/fs';
 * const plan = [...bind('/usr', '/mnt', { recursive: true, readonly: true }), ...bind('/etc/hosts', '/tmp/hosts', { kind: 'file' })];
 * ```
 */
export function bind(from: string | Handle, at: Place, options: BindOptions = {}): Step[] {
  checkOptions('bind', options, ['kind', ...keys]);
  const { kind = 'directory', ...rest } = options;
  checkOneOf('kind', kind, ['directory', 'file']);
  return mountAt(at, bindMount(from, { as: shortName(at), ...rest }), { directory: kind === 'directory' });
}

/**
 * The mount of a {@link bind}, attached to nothing: made before a pivot_root, it can be attached after it, when its source is out of reach.
 *
 * @example
 * ```ts
 * import { bindMount } from '@ctr/fs';
 * const { steps, mount } = bindMount('/srv', { readonly: true });
 * ```
 */
export function bindMount(from: string | Handle, options: BindMountOptions = {}): Detached {
  checkOptions('bindMount', options, keys);
  const { recursive = false, idMap, purpose = `a mount of ${placeName(from)}`, as = shortName(from), onFailure } = options;
  if (typeof from === 'string') checkPath(from);
  const flags = openTreeFlags.OPEN_TREE_CLONE | openTreeFlags.OPEN_TREE_CLOEXEC | (recursive ? atFlags.AT_RECURSIVE : 0);
  const clone: Step = {
    call: 'open_tree',
    args: typeof from === 'string' ? [AT_FDCWD, from, flags] : [from, '', flags | atFlags.AT_EMPTY_PATH],
    purpose,
    as,
    ...(onFailure && { onFailure }),
    hints: {
      EINVAL:
        'the file is in another mount namespace (open it in the one in which it is bound), or on an unbindable mount, or part of it is hidden by a locked mount (bind it recursively)',
      ENOENT: `${placeName(from)} does not exist`,
    },
  };
  const mount = resultOf(clone);
  const changes = [...(idMap ? idmap(mount, idMap, { recursive }) : []), ...setAttributes(mount, attributesOf(options), { recursive })];
  return { steps: [clone, ...(onFailure ? changes.map((step) => ({ ...step, onFailure })) : changes)], mount };
}

const keys = ['recursive', 'idMap', ...bindKeys];
