import { checkOptions, label, resultOf, type Step } from '@ctr/syscall';

import { attach, closed } from './attach.js';
import { bindMount } from './bind.js';
import type { Handle } from './handle.js';
import { inMounts, openIfThere, type KnownMounts } from './in-root.js';

/**
 * Makes files and directories below a root read-only, with all that is mounted below them: each is bound onto itself. What is missing is no error.
 *
 * Comes after what is to be protected is mounted: what is mounted there later is not.
 *
 * @param options.mounts mounts below the root that the caller has made, by where they are: what is below them is looked for from there, whatever is renamed meanwhile. @default none
 * @see mount_setattr(2)
 * @example
 * ```ts
 * import { inRoot, proc, readonlyPath } from '@ctr/fs';
 * import { openFd } from '@ctr/syscall';
 * using root = openFd('/srv', { directory: true });
 * const plan = [...proc(inRoot(root, '/proc')), ...readonlyPath(root, ['/proc/sys', '/proc/sysrq-trigger'])];
 * ```
 */
export function readonlyPath(root: Handle, paths: readonly string[], options: { readonly mounts?: KnownMounts } = {}): Step[] {
  checkOptions('readonlyPath', options, ['mounts']);
  const { mounts = {} } = options;
  return paths.flatMap((path) => {
    const next = label(`${path} is read-only, if it exists`);
    const place = openIfThere(inMounts(root, mounts, path), { when: '<', to: next });
    const bound = bindMount(resultOf(place), { recursive: true, readonly: true, purpose: `a mount of ${path}` });
    return [
      place,
      ...bound.steps,
      ...attach(bound.mount, resultOf(place), `attach it over ${path}`),
      closed(bound.mount, 'it is attached'),
      closed(resultOf(place), `${path} is covered by it`),
      next,
    ];
  });
}
