import { readFileSync, realpathSync, statSync } from 'node:fs';

import { call, Memory, perUser } from '@ctr/syscall';

import type { IdMap, IdMaps } from './id-map.js';
import { MAX_ID } from './id.js';
import { findHelper, HELPER_DIRECTORIES } from './newuidmap.js';
import { currentUser, parseSubIds, type SubIdRange } from './sub-ids.js';

/** The ids that an ordinary user can give to a user namespace. */
export interface GrantedIds {
  /** The caller as root, and from 1 on the subordinate ids; the caller alone where something is lacking for more. */
  readonly maps: IdMaps;
  /** What keeps the user from more ids than one, and what to do about it; `undefined` where nothing does. */
  readonly lacking: string | undefined;
}

/**
 * All the ids that the caller, an ordinary user, can give to a user namespace by {@link writeIdMaps}: its own as root, and those that /etc/subuid and /etc/subgid grant
 * as 1 and so on. That takes newuidmap(1) and newgidmap(1), which have to be there and to have their rights; otherwise it is the one id, which needs nobody's help.
 *
 * It only looks, and once for each user that this process is. Throws what it meets where a file of /etc cannot be read.
 *
 * @see newuidmap(1), subuid(5)
 * @example
 * ```ts
 * import { grantedIds } from '@ctr/namespaces';
 * const { maps, lacking } = grantedIds();
 * console.log(maps.uids, lacking ?? 'a whole range');
 * ```
 */
export function grantedIds(): GrantedIds {
  return found();
}

const found = perUser(findGrantedIds);

function findGrantedIds(): GrantedIds {
  const user = currentUser();
  const own = { uids: ownMap(process.geteuid?.() ?? 0), gids: ownMap(process.getegid?.() ?? 0) };
  const lack = (lacking: string): GrantedIds => ({ maps: own, lacking });
  let uids: readonly SubIdRange[];
  let gids: readonly SubIdRange[];
  try {
    [uids, gids] = [parseSubIds(text('/etc/subuid'), user, '/etc/subuid'), parseSubIds(text('/etc/subgid'), user, '/etc/subgid')];
  } catch (error) {
    return lack((error as Error).message);
  }
  const name = user.username;
  if (name === undefined)
    return lack(`uid ${user.uid} has no name, without which newuidmap maps nothing: make an account for it (useradd --uid ${user.uid} NAME)`);
  for (const [file, ranges] of [
    ['/etc/subuid', uids],
    ['/etc/subgid', gids],
  ] as const)
    // oxfmt-ignore
    if (ranges.length === 0)
      return lack(`${file} has no line for ${name}: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${name} (as root) grants some`);
  for (const helper of ['newuidmap', 'newgidmap']) {
    const reason = whyNot(helper);
    if (reason !== undefined) return lack(reason);
  }
  if (/^NoNewPrivs:\s*1$/m.test(text('/proc/self/status')))
    return lack('newuidmap has no effect here: this process was started with no_new_privs, as programs in most containers are');
  return { maps: { uids: withSubIds(own.uids, uids), gids: withSubIds(own.gids, gids) }, lacking: undefined };
}

function ownMap(id: number): IdMap {
  return [{ inside: 0, outside: id, count: 1 }];
}

/** More do not fit into the page that the kernel takes. */
const MAX_RANGES = 100;

/** The subordinate ids behind the own one; what comes twice, or is the own id, is left out, since an id can be mapped once. */
function withSubIds(own: IdMap, ranges: readonly SubIdRange[]): IdMap {
  const map = [...own];
  let inside = 1;
  for (const { start, count } of ranges) {
    if (map.some((range) => start < range.outside + range.count && range.outside < start + count)) continue;
    if (map.length === MAX_RANGES || inside + count - 1 > MAX_ID) break;
    map.push({ inside, outside: start, count });
    inside += count;
  }
  return map;
}

/** What is wrong with a helper; `undefined` where it is as it should be. */
function whyNot(name: string): string | undefined {
  const path = findHelper(name);
  if (path === undefined)
    return `${name} is in none of ${HELPER_DIRECTORIES.join(', ')}: install the package uidmap (Debian, Ubuntu) or shadow-utils (Fedora; Alpine: shadow-uidmap)`;
  const { mode, uid } = statSync(path);
  if (!((mode & S_ISUID) !== 0 && uid === 0) && !hasFileCapabilities(path))
    return `${path} is not set-user-id root, and has no file capabilities: chmod u+s ${path} (as root), or install its package anew`;
  if (isOnNosuidMount(path)) return `${path} has no effect: it is on a mount with nosuid, as all are in most containers`;
  return undefined;
}

/**
 * 36 35 98:0 / /usr rw,nosuid shared:9 - ext4 /dev/vda rw
 * (5) where, (6) options of the mount; a later mount lies over an earlier one at the same place.
 */
function isOnNosuidMount(path: string): boolean {
  const real = realpathSync(path);
  let [longest, options]: readonly [string, string] = ['', ''];
  for (const line of text('/proc/self/mountinfo').split('\n')) {
    const [, , , , at = '', of = ''] = line.split(' ');
    if ((at === real || at === '/' || real.startsWith(`${at}/`)) && at.length >= longest.length) [longest, options] = [at, of];
  }
  return options.split(',').includes('nosuid');
}

/** sys/stat.h */
const S_ISUID = 0o4000;
/** linux/capability.h: XATTR_CAPS_SZ_3 */
const CAPABILITIES_BYTES = 24;

/** Fedora's have these in the place of the set-user-id bit. */
function hasFileCapabilities(path: string): boolean {
  const value = new Memory(CAPABILITIES_BYTES, 'value');
  return (
    call({
      call: 'getxattr',
      args: [path, 'security.capability', value, CAPABILITIES_BYTES],
      purpose: `the file capabilities of ${path}`,
      tolerates: 'any',
    }) > 0
  );
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
