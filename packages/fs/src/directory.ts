import type { Step } from '@ctr/syscall';

import { checkBelow, checkMode } from './check.js';
import type { Handle } from './handle.js';

/**
 * Makes a directory in an open directory. The umask takes its bits from the mode.
 *
 * The step fails with EEXIST if the name is taken, by a link too, and ENOENT if a directory above it is missing.
 *
 * @param path below `parent`; where it has a slash, the directories on the way are the caller's own: links in them are followed (see {@link inRoot} for others)
 *
 * @see mkdirat(2)
 * @example
 * ```ts
 * import { directory, tmpfsMount } from '@ctr/fs';
 * const { steps, mount } = tmpfsMount();
 * const plan = [...steps, directory(mount, 'etc', 0o755)];
 * ```
 */
export function directory(parent: Handle, path: string, mode = 0o755): Step {
  checkBelow(path);
  checkMode(path, mode);
  return { call: 'mkdirat', args: [parent, path, mode], purpose: `make the directory ${path}` };
}
