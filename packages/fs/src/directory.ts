import type { Step } from '@ctr/syscall';

import { checkMode, checkName } from './options.js';
import type { Handle } from './place.js';

/**
 * Makes a directory in an open directory. The umask takes its bits from the mode.
 *
 * The step fails with EEXIST if the name is taken, by a link too.
 *
 * @see mkdirat(2)
 * @example
 * ```ts
 * import { directory, newTmpfs } from '@ctr/fs';
 * const { steps, mount } = newTmpfs();
 * const plan = [...steps, ...directory(mount, 'etc', 0o755)];
 * ```
 */
export function directory(parent: Handle, name: string, mode = 0o755): Step[] {
  checkName('directory', name);
  checkMode(name, mode);
  return [{ call: 'mkdirat', args: [parent, name, mode], purpose: `make the directory ${name}` }];
}
