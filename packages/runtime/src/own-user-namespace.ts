import { readFileSync, statSync } from 'node:fs';

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
 * Whether this process's user namespace has a group of this id.
 * /proc/self/gid_map: the first id inside, the first one outside, how many.
 */
export function hasGroup(gid: number): boolean {
  if (!isInUserNamespace()) return true;
  return readFileSync('/proc/self/gid_map', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .some(([first = Infinity, , count = 0]) => gid >= first && gid < first + count);
}
