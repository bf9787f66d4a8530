import { atFlags, checkOptions, label, openTreeFlags, resultOf, type Step } from '@ctr/syscall';

import { attach, attachBelow, closed } from './attach.js';
import { setAttributes } from './attributes.js';
import { bindMount } from './bind.js';
import type { Handle } from './handle.js';
import { openIfThere, type InRoot } from './in-root.js';
import { inMounts, isInKnownMount } from './known-mounts.js';
import type { MaskOptions } from './mask.js';

/**
 * Makes files and directories below a root read-only, with all that is mounted below them: each is bound onto itself. What is missing is no error.
 *
 * Comes after what is to be protected is mounted: what is mounted there later is not.
 *
 * @param options.mounts mounts below the root that the caller has made, by where they are: what is below them is looked for from there, whatever is renamed meanwhile. @default none
 * @param options.plain those of the paths that are known to have no symbolic link in them. @default none
 * @see mount_setattr(2)
 * @example
 * ```ts
 * import { inRoot, proc, readonlyPath } from '@ctr/fs';
 * import { openFd } from '@ctr/syscall';
 * using root = openFd('/srv', { directory: true });
 * const plan = [...proc(inRoot(root, '/proc')), ...readonlyPath(root, ['/proc/sys', '/proc/sysrq-trigger'])];
 * ```
 */
export function readonlyPath(root: Handle, paths: readonly string[], options: Pick<MaskOptions, 'mounts' | 'plain'> = {}): Step[] {
  checkOptions('readonlyPath', options, ['mounts', 'plain']);
  const { mounts = {}, plain = [] } = options;
  return paths.flatMap((path) => {
    const next = label(`${path} is read-only, if it exists`);
    const place = inMounts(root, mounts, path);
    if (plain.includes(path) && isInKnownMount(place, root)) return plainReadonly(path, place, next);
    const { steps, fd } = openIfThere(place, next);
    const bound = bindMount(fd, { recursive: true, readonly: true, purpose: `a mount of ${path}` });
    return [
      ...steps,
      ...bound.steps,
      ...attach(bound.mount, fd, `attach it over ${path}`),
      closed(bound.mount, 'it is attached'),
      closed(fd, `${path} is covered by it`),
      next,
    ];
  });
}

/** One without links in a mount of the kernel's, which each call names: nothing on the way can be exchanged. */
function plainReadonly(path: string, { root, path: name }: InRoot, next: Step): Step[] {
  const clone: Step = {
    call: 'open_tree',
    args: [root, name, openTreeFlags.OPEN_TREE_CLONE | openTreeFlags.OPEN_TREE_CLOEXEC | atFlags.AT_RECURSIVE | atFlags.AT_SYMLINK_NOFOLLOW],
    purpose: `a mount of ${path}, if it is there`,
    as: 'bound',
    tolerates: ['ENOENT', 'ENOTDIR'],
    jump: { when: '<', to: next },
  };
  const mount = resultOf(clone);
  return [
    clone,
    ...setAttributes(mount, { readonly: true }, { recursive: true }),
    attachBelow(mount, root, name, `attach it over ${path}`),
    closed(mount, 'it is attached'),
    next,
  ];
}
