import { atMost, integer, list, object, text, type Schema } from '../schema/schema.js';

/** Who the program runs as, in ids of the container. */
export interface User {
  /** @default 0 */
  readonly uid?: number;
  /** @default 0 */
  readonly gid?: number;
  /** A decimal number in JSON: 18 is 022. @default 18 */
  readonly umask?: number;
  /** Supplementary groups. @default none */
  readonly additionalGids?: readonly number[];
  /** Of Windows only. */
  readonly username?: string;
}

/** linux/limits.h */
const NGROUPS_MAX = 65_536;
/** The largest number is no id: -1 says "as it is" to the kernel. */
const id = integer(0, 2 ** 32 - 2);

export const user: Schema<User> = object<User>(
  { uid: id, gid: id, umask: integer(0, 0o777), additionalGids: atMost(NGROUPS_MAX, list(id)), username: text() },
  (value, report) => {
    if (value.username !== undefined) report.warning('username', value.username, 'of no effect on Linux: see uid');
  },
);
