import { isAbsolute, join } from 'node:path';

import { quote } from '@ctr/syscall';
import { isInUserNamespace } from '@ctr/runtime/assembly';

import { OciError } from '../error.js';

const MAX_ID_BYTES = 1024;

/**
 * Where the states of containers are kept when nobody says where: `/run/ctr-oci` for root, `$XDG_RUNTIME_DIR/ctr-oci` for others. An engine of an ordinary user is root
 * in a namespace of its own and not on the host: its directory is the user's.
 * Throws an `Error` where a user has no such directory.
 */
export function defaultRoot(): string {
  const { XDG_RUNTIME_DIR: directory = '', USER: user } = process.env;
  const isRoot = process.geteuid?.() === 0;
  if (isRoot && !(isAbsolute(directory) && user !== 'root' && isInUserNamespace())) return '/run/ctr-oci';
  if (isAbsolute(directory)) return join(directory, 'ctr-oci');
  throw new Error('XDG_RUNTIME_DIR is not set, so there is no place for the state of a container: set it, or give another place with --root');
}

/** Throws for what cannot be the id of a container: it is the name of its directory, and of its cgroup. */
export function checkId(id: string): void {
  if (!/^[\w+-][\w+.-]*$/.test(id) || Buffer.byteLength(id) > MAX_ID_BYTES)
    throw new OciError('invalid-id', `invalid container ID format ${quote(id)}: letters, digits and _ + - . (not as the first), at most ${MAX_ID_BYTES}`);
}
