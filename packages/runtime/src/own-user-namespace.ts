import { readFileSync, statSync } from 'node:fs';

import type { IdRange } from '@ctr/namespaces';

/** linux/proc_ns.h: PROC_USER_INIT_INO, the inode of the first user namespace of the system. */
const FIRST_USER_NAMESPACE = 0xeffffffd;

let inside: boolean | undefined;

/**
 * Whether this process is in a user namespace other than the first one, as in a container of an ordinary user. Its root may mount, but makes no devices.
 * Looked up once: a process with threads, as Node is, cannot change it.
 */
export function isInUserNamespace(): boolean {
  inside ??= statSync('/proc/self/ns/user', { throwIfNoEntry: false })?.ino !== FIRST_USER_NAMESPACE;
  return inside;
}

/**
 * The ids that exist in this process's own user namespace, each as itself.
 * /proc/self/uid_map: the first id inside, the first one outside, how many.
 */
export function ownIdRanges(kind: 'uid' | 'gid'): IdRange[] {
  const lines = readFileSync(`/proc/self/${kind}_map`, 'latin1').trim().split('\n');
  return lines.map((line) => {
    const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
    return { inside: first, outside: first, count };
  });
}
