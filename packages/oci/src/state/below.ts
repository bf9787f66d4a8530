import { readdirSync } from 'node:fs';

import { atFlags, call, openFd, openFlags, resolveFlags, type Fd } from '@ctr/syscall';

/** Opens a name in an open directory, and follows no link. Throws a `SyscallError` (ENOENT, ENOTDIR, ELOOP). */
export function openBelow(at: Fd, name: string, flags: number): Fd {
  return openFd(name, { at, flags: flags | openFlags.O_NOFOLLOW, resolve: resolveFlags.RESOLVE_BENEATH | resolveFlags.RESOLVE_NO_SYMLINKS });
}

/** Makes a directory for its owner alone. Throws a `SyscallError` (EEXIST). */
export function makeBelow(at: Fd, name: string, mode = 0o700): void {
  call({ call: 'mkdirat', args: [at, name, mode], purpose: `make the directory ${name}` });
}

/** Removes a name, with all that is below it if it is a directory. What is not there is no error. */
export function removeBelow(at: Fd, name: string): void {
  const purpose = `remove ${name}`;
  if (call({ call: 'unlinkat', args: [at, name, 0], purpose, tolerates: ['ENOENT', 'EISDIR'] }) === 0) return;
  if (call({ call: 'unlinkat', args: [at, name, atFlags.AT_REMOVEDIR], purpose, tolerates: ['ENOENT', 'ENOTEMPTY'] }) === 0) return;
  let directory: Fd;
  try {
    directory = openBelow(at, name, openFlags.O_RDONLY | openFlags.O_DIRECTORY);
  } catch {
    // It is gone, as it was to be.
    return;
  }
  using below = directory;
  for (const each of readdirSync(`/proc/self/fd/${below.number}`)) removeBelow(below, each);
  call({ call: 'unlinkat', args: [at, name, atFlags.AT_REMOVEDIR], purpose, tolerates: ['ENOENT'] });
}
