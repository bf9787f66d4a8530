import type { Step } from '@ctr/syscall';

import { checkName, checkPath } from './check.js';
import type { Handle } from './handle.js';

/**
 * Makes a symbolic link in an open directory.
 *
 * The step fails with EEXIST if the name is taken.
 *
 * @see symlinkat(2)
 * @example
 * ```ts
 * import { tmpfsMount, symlink } from '@ctr/fs';
 * const { steps, mount } = tmpfsMount();
 * const plan = [...steps, symlink('/proc/self/fd', mount, 'fd')];
 * ```
 */
export function symlink(target: string, parent: Handle, name: string): Step {
  checkName('symlink', name);
  checkPath(target);
  return { call: 'symlinkat', args: [target, parent, name], purpose: `${name} leads to ${target}` };
}
