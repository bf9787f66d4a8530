import { AT_FDCWD, openFlags } from './abi/constants.js';
import { errnos } from './abi/errno.js';
import { openHow } from './abi/structs.js';
import { ownedFd, type Fd } from './fd.js';
import { call } from './perform.js';
import type { Step } from './step.js';

/** How a file is opened. All are opened with O_CLOEXEC. */
export interface OpenOptions {
  /** `O_…` flags. @default O_PATH: a handle, which can be used as a place but not read or written */
  readonly flags?: number;
  /** Refuse what is not a directory (O_DIRECTORY). @default false */
  readonly directory?: boolean;
  /** The directory that a relative path starts from. @default the working directory */
  readonly at?: Fd;
  /** `RESOLVE_…` flags of openat2(2): how far the path may lead. @default 0 */
  readonly resolve?: number;
  /** Permissions of a file that O_CREAT makes. @default 0 */
  readonly mode?: number;
}

/**
 * Opens a file and returns it as an {@link Fd} that the caller closes.
 * Throws a `SyscallError` (ENOENT, ENOTDIR, EACCES, ELOOP, EXDEV for a path that leads out of where `resolve` keeps it, …).
 *
 * @see openat2(2)
 * @example
 * ```ts
 * import { openFd } from '@ctr/syscall';
 * using root = openFd('/', { directory: true });
 * ```
 */
export function openFd(path: string, { flags = openFlags.O_PATH, directory = false, at, resolve = 0, mode = 0 }: OpenOptions = {}): Fd {
  const how = openHow({ flags: flags | openFlags.O_CLOEXEC | (directory ? openFlags.O_DIRECTORY : 0), mode, resolve });
  const open: Step = { call: 'openat2', args: [at ?? AT_FDCWD, path, how, how.byteLength], purpose: `open ${path}` };
  // Without such a root it is a file that cannot be opened at once (O_NONBLOCK): somebody has a lease of it.
  for (let tries = 1; resolve !== 0 && tries < MAX_LOOKUPS; tries++) {
    const number = call({ ...open, tolerates: ['EAGAIN'] });
    if (number !== -errnos.EAGAIN) return ownedFd(number, path);
  }
  return ownedFd(call(open), path);
}

/**
 * How often a lookup that is kept below a root (`RESOLVE_IN_ROOT`, `RESOLVE_BENEATH`) is tried. Where there is a `..` in the path or in a link, and anything on the machine
 * is renamed or mounted meanwhile, the kernel cannot tell whether the root was left, and says EAGAIN. That passes; somebody who makes it last must not hold us for ever.
 *
 * @see openat2(2): EAGAIN
 * @example
 * ```ts
 * import { MAX_LOOKUPS } from '@ctr/syscall';
 * console.log(MAX_LOOKUPS); // 2048
 * ```
 */
export const MAX_LOOKUPS = 2048;
