import { fstatSync, statSync } from 'node:fs';

import { quote, type Fd } from '@ctr/syscall';

/**
 * Refuses a mount namespace in which the root must not be changed: that of the caller, and that of the first process, whose root is the root of the whole system.
 * pivot_root(2) changes the root of every process of the namespace. Throws an `Error`.
 *
 * @param joined the file of a namespace that is joined, if there is one
 * @param pivot whether the root is changed by pivot_root(2): else the mounts of the old root have to be known beforehand
 */
export function checkJoinedMounts(joined: Fd | undefined, pivot: boolean): void {
  if (!joined) return;
  if (!pivot)
    throw new TypeError(
      'linux.namespaces: a mount namespace that is joined takes pivot_root(2), since its mounts could stay in reach of the container otherwise',
    );
  const { dev, ino } = fstatSync(joined.number);
  for (const [whose, file] of [
    ['of the first process', '/proc/1/ns/mnt'],
    ['of the caller', '/proc/self/ns/mnt'],
  ] as const) {
    const own = namespaceAt(file);
    if (own && own.dev === dev && own.ino === ino)
      throw new Error(
        `linux.namespaces: the mount namespace at ${quote(joined.path)} is that ${whose}: to change the root there would change it for all of its processes. Leave out the path for a new mount namespace`,
      );
  }
}

function namespaceAt(file: string) {
  try {
    return statSync(file);
  } catch (error) {
    // Who may not look at a process may not join its mount namespace either, setns(2).
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return undefined;
    throw error;
  }
}
