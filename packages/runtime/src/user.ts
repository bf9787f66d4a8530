import { fstatSync, readSync } from 'node:fs';

import { parseId } from '@ctr/namespaces';
import { isSyscallError, openFd, openFlags, resolveFlags, type Fd } from '@ctr/syscall';

import { shown } from './shown.js';
import type { User } from './spec.js';

/** The files belong to an image: a device, a pipe or a giant in their place must neither hang nor fill this process. */
const MAX_FILE_BYTES = 4 * 2 ** 20;
/** More than setgroups(2) takes are no groups of anybody: linux/limits.h, NGROUPS_MAX. */
const MAX_GROUPS = 65_536;

/**
 * The user that a text means: `UID`, `UID:GID`, `name` or `name:group`. Names are those of the container's own /etc/passwd and /etc/group;
 * without a group it is the user's first one, and the further groups are those that name the user. A number need not be in the files.
 *
 * Throws a `TypeError` for a text that is none of these, a `RangeError` for a number that is not an id from 0 to 4294967294, and an `Error` for a name that is not there.
 *
 * @param rootfs the container's root on the host. @default the host's own
 * @example
 * ```ts
 * import { lookupUser } from '@ctr/runtime';
 * lookupUser('1000:1000'); // { uid: 1000, gid: 1000, groups: [] }
 * lookupUser('root'); // { uid: 0, gid: 0, groups: [0] }, for instance
 * ```
 */
export function lookupUser(text: string, rootfs = '/'): Required<User> {
  const [name = '', groupName, ...rest] = text.split(':');
  if (name === '' || groupName === '' || rest.length > 0) throw new TypeError(`user ${shown(text)}: give UID, UID:GID, name or name:group`);
  const numeric = isNumber(name);
  const [account] = entries(rootfs, 'etc/passwd', (fields) => (numeric ? fields[2] === name : fields[0] === name), 1);
  if (!account && !numeric) throw new Error(`user ${shown(name)}: there is no such name in the /etc/passwd of the container`);
  const uid = parseId(account?.[2] ?? name);
  if (groupName === undefined) {
    const member = account?.[0];
    const further = member === undefined ? [] : entries(rootfs, 'etc/group', (fields) => fields[3]?.split(',').includes(member) === true);
    return { uid, gid: account ? parseId(account[3] ?? '') : 0, groups: further.map((fields) => parseId(fields[2] ?? '')) };
  }
  if (isNumber(groupName)) return { uid, gid: parseId(groupName), groups: [] };
  const [group] = entries(rootfs, 'etc/group', (fields) => fields[0] === groupName, 1);
  if (!group) throw new Error(`group ${shown(groupName)}: there is no such name in the /etc/group of the container`);
  return { uid, gid: parseId(group[2] ?? ''), groups: [] };
}

/** The home directory that the container's own /etc/passwd names for a user; `undefined` if it does not know the user. */
export function homeOf(uid: number, rootfs: string): string | undefined {
  const [account] = entries(rootfs, 'etc/passwd', (fields) => fields[2] === String(uid), 1);
  return account?.[5];
}

function isNumber(text: string): boolean {
  return /^[\d+-]/.test(text);
}

/** Lines of a file of the container, split at colons: those that are wanted, and of the others, of which an image may have a million, nothing is kept. */
function entries(rootfs: string, path: string, isWanted: (fields: readonly string[]) => boolean, limit = MAX_GROUPS): string[][] {
  const text = readBelow(rootfs, path);
  const found: string[][] = [];
  for (let [from, to] = [0, 0]; from < text.length && found.length < limit; from = to + 1) {
    to = text.indexOf('\n', from);
    if (to < 0) to = text.length;
    const line = text.slice(from, to);
    if (line === '' || line.startsWith('#')) continue;
    const fields = line.split(':');
    if (isWanted(fields)) found.push(fields);
  }
  return found;
}

function readBelow(rootfs: string, path: string): string {
  using root = openFd(rootfs, { directory: true });
  let place;
  try {
    place = openFd(path, { at: root, resolve: resolveFlags.RESOLVE_IN_ROOT | resolveFlags.RESOLVE_NO_MAGICLINKS });
  } catch (error) {
    if (isSyscallError(error) && error.code === 'ENOENT') return '';
    throw error;
  }
  using found = place;
  // To open a device is to use it: a watchdog, for one, resets the machine some time later.
  if (!fstatSync(found.number).isFile()) throw new Error(`/${path} of the container is not a regular file`);
  using opened = openAtOnce(found, path);
  const stat = fstatSync(opened.number);
  if (stat.size > MAX_FILE_BYTES) throw new Error(`/${path} of the container has ${stat.size} bytes: more than ${MAX_FILE_BYTES} are not read`);
  const bytes = Buffer.alloc(stat.size);
  let read = 0;
  for (let got = 1; got > 0 && read < bytes.length; read += got) got = readSync(opened.number, bytes, read, bytes.length - read, read);
  return bytes.toString('utf8', 0, read);
}

/** Who has a lease of a file (F_SETLEASE of fcntl(2)) makes each open(2) of it wait, up to 45 s, and with it this whole process. */
function openAtOnce(file: Fd, path: string): Fd {
  try {
    return openFd(`/proc/self/fd/${file.number}`, { flags: openFlags.O_RDONLY | openFlags.O_NONBLOCK });
  } catch (error) {
    if (!isSyscallError(error) || error.code !== 'EAGAIN') throw error;
    throw new Error(`/${path} of the container cannot be read: a process has a lease of it (F_SETLEASE), and would make every reader wait`, { cause: error });
  }
}
