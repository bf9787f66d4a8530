import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';

import { quote } from '@ctr/syscall';
import { MAX_ID, parseDecimal } from './id.js';

/** A user, by the id and, where there is one, the name; what `os.userInfo()` returns is one. */
export interface SubIdUser {
  readonly uid: number;
  readonly username?: string;
}

/** Ids that a user may map, `count` of them from `start` on. */
export interface SubIdRange {
  readonly start: number;
  readonly count: number;
}

/** What /etc/subuid and /etc/subgid grant a user, in the order of the files. */
export interface SubIds {
  readonly uids: readonly SubIdRange[];
  readonly gids: readonly SubIdRange[];
}

/**
 * The subordinate ids that /etc/subuid and /etc/subgid grant a user, the current one unless another is named.
 * A user may have any number of lines, by name or by uid; a file that is not there grants nothing.
 * Ids that are granted by another service of nsswitch.conf (sssd, for instance) are not seen.
 *
 * Rejects with an `Error` that names file and line if a line of the user's is not well-formed; other users' lines are not looked at.
 *
 * @see subuid(5), subgid(5)
 * @example
 * ```ts
 * import { subIds } from '@ctr/namespaces';
 * const { uids } = await subIds(); // for instance [{ start: 100000, count: 65536 }]
 * ```
 */
export async function subIds(user: SubIdUser = currentUser()): Promise<SubIds> {
  const [uids, gids] = await Promise.all(['/etc/subuid', '/etc/subgid'].map(async (path) => parseSubIds(await text(path), user, path)));
  return { uids: uids ?? [], gids: gids ?? [] };
}

/** The user of this process; without a name if the system has none for the id. */
export function currentUser(): SubIdUser {
  try {
    return userInfo();
  } catch {
    return { uid: process.getuid?.() ?? 0 };
  }
}

/*
 * A line:
 *
 *   liz:100000:65536
 *   (1) (2)    (3)
 *
 *   (1) name of the user, or the uid  (2) first id  (3) how many
 */

/** The ranges of one user in the content of a file. */
export function parseSubIds(content: string, { uid, username }: SubIdUser, path: string): SubIdRange[] {
  const ranges: SubIdRange[] = [];
  for (const [i, line] of content.split('\n').entries()) {
    const [owner, first, number, ...rest] = line.split(':');
    if (owner !== String(uid) && (username === undefined || owner !== username)) continue;
    const start = parseDecimal(first ?? '', MAX_ID);
    const count = parseDecimal(number ?? '', MAX_ID + 1);
    if (start === undefined || count === undefined || rest.length > 0)
      throw new Error(`${path}, line ${i + 1}: ${quote(line)} is not of the form name:first:count`);
    if (count === 0 || start + count - 1 > MAX_ID) throw new Error(`${path}, line ${i + 1}: ${quote(line)} has no ids, or goes beyond the last one, ${MAX_ID}`);
    ranges.push({ start, count });
  }
  return ranges;
}

async function text(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
