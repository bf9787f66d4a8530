import { readFileSync } from 'node:fs';

import { checkOptions, perUser, type Step } from '@ctr/syscall';

import { MAX_ID } from './id.js';
import { writeProcFile } from './proc-file.js';

/** A run of ids: `inside + n` in the user namespace is `outside + n` in the one that it was made in, for `n` from 0 to `count - 1`. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** The ids of a user namespace: ranges that do not overlap, as {@link idMap} has checked them. */
export type IdMap = readonly IdRange[];

/** The maps of a user namespace. */
export interface IdMaps {
  readonly uids: IdMap;
  readonly gids: IdMap;
}

/** UID_GID_MAP_MAX_EXTENTS of linux/user_namespace.h, since Linux 4.15 */
const MAX_RANGES = 340;
/** The kernel takes a map in one write, which has to be shorter than a page: the smallest there is. */
const PAGE_BYTES = 4096;

/**
 * Checks the ranges of an id map, and returns a frozen copy of them.
 * Throws a `RangeError` for no range or more than 340, for a number that is no id, for a range that is empty or goes beyond 4294967294,
 * and for two that overlap inside or outside; a `TypeError` for a key that a range does not have.
 *
 * @see user_namespaces(7)
 * @example Root inside is the user outside, all other ids are subordinate ones
 * ```ts
 * import { idMap } from '@ctr/namespaces';
 * const uids = idMap([{ inside: 0, outside: 1000, count: 1 }, { inside: 1, outside: 100_000, count: 65_535 }]);
 * ```
 */
export function idMap(ranges: readonly IdRange[]): IdMap {
  return checkedMap(ranges, 'an id map');
}

/** The map as /proc/PID/uid_map takes it. */
export function idMapText(map: IdMap): string {
  return map.map(({ inside, outside, count }) => `${inside} ${outside} ${count}\n`).join('');
}

/** Both maps, checked; a message says of which it speaks. */
export function checkedMaps(maps: IdMaps): IdMaps {
  checkOptions('a pair of id maps', maps, ['uids', 'gids']);
  return { uids: checkedMap(maps.uids, 'uids'), gids: checkedMap(maps.gids, 'gids') };
}

/**
 * Steps by which a process maps one user id and one group id, its own, in the user namespace that it has just made. It needs no privilege and no helper;
 * in return, setgroups(2) is switched off in the namespace. More ids can be mapped from outside only: {@link writeIdMaps}.
 *
 * Fails with EPERM if `outside` is not the process's effective id, or if the map is written already.
 * Throws a `RangeError` if a map has more than that one id.
 *
 * @see user_namespaces(7)
 * @example An ordinary user becomes root in a namespace of its own
 * ```ts
 * import { create, mapOwnIds } from '@ctr/namespaces';
 * const uids = [{ inside: 0, outside: process.getuid?.() ?? 0, count: 1 }];
 * const gids = [{ inside: 0, outside: process.getgid?.() ?? 0, count: 1 }];
 * const steps = [...create('user'), ...mapOwnIds({ uids, gids }), ...create('mount', 'net')];
 * ```
 */
export function mapOwnIds(maps: IdMaps): Step[] {
  const { uids, gids } = checkedMaps(maps);
  const restricted = ubuntuRestriction();
  const hints = (kind: string): Step['hints'] => ({ EPERM: restricted ?? `a process can map its own effective ${kind} only, and only once` });
  return [
    ...writeProcFile('/proc/self/setgroups', 'deny', 'keep the groups of all processes in it, which the kernel asks for before a group is mapped', {
      ...(restricted !== undefined && { EACCES: restricted, EPERM: restricted }),
    }),
    ...writeProcFile('/proc/self/uid_map', idMapText(single(uids, 'uids')), 'map the user id', hints('user id')),
    ...writeProcFile('/proc/self/gid_map', idMapText(single(gids, 'gids')), 'map the group id', hints('group id')),
  ];
}

/** There a user namespace can be made, but what makes it of use cannot be done in it. */
const ubuntuRestriction = perUser((): string | undefined => {
  try {
    if (process.geteuid?.() !== 0 && readFileSync('/proc/sys/kernel/apparmor_restrict_unprivileged_userns', 'latin1').trim() === '1')
      return 'Ubuntu restricts user namespaces by AppArmor here: sysctl kernel.apparmor_restrict_unprivileged_userns=0 (as root), or an AppArmor profile with "userns," for this program';
  } catch {
    // No other system has that setting.
  }
  return undefined;
});

function single(map: IdMap, kind: string): IdMap {
  const ids = map.reduce((sum, { count }) => sum + count, 0);
  if (ids !== 1)
    throw new RangeError(`${kind}: ${ids} ids are mapped, and a process can map one itself, its own: write the maps from outside, with writeIdMaps`);
  return map;
}

function checkedMap(ranges: readonly IdRange[], what: string): IdMap {
  if (!Array.isArray(ranges)) throw new TypeError(`${what}: ${typeof ranges} is not an array of ranges`);
  if (ranges.length === 0) throw new RangeError(`${what}: a map has at least one range`);
  if (ranges.length > MAX_RANGES) throw new RangeError(`${what}: a map has at most ${MAX_RANGES} ranges, not ${ranges.length}`);
  const map: IdMap = ranges.map((range: IdRange) => checkedRange(range, what));
  refuseOverlap(map, 'inside', what);
  refuseOverlap(map, 'outside', what);
  const bytes = idMapText(map).length;
  if (bytes >= PAGE_BYTES)
    throw new RangeError(`${what}: as text, a line for each range, a map is shorter than ${PAGE_BYTES} bytes, and these ${ranges.length} ranges have ${bytes}`);
  return Object.freeze(map);
}

function checkedRange(range: IdRange, what: string): IdRange {
  checkOptions(`${what}: a range`, range, ['inside', 'outside', 'count']);
  const { inside, outside, count } = range;
  const wrong = (why: string): never => {
    throw new RangeError(`${what}: ${shown(range)}: ${why}`);
  };
  if (!Number.isInteger(count) || count < 1) wrong(`count is ${number(count)}, and a range has at least one id`);
  for (const [name, id] of Object.entries({ inside, outside })) {
    if (!Number.isInteger(id) || id < 0 || id > MAX_ID) wrong(`${name} is ${number(id)}, and an id is a whole number from 0 to ${MAX_ID}`);
    if (id + count - 1 > MAX_ID) wrong(`it goes up to ${id + count - 1} ${name}, and the last id is ${MAX_ID}`);
  }
  return Object.freeze({ inside, outside, count });
}

function refuseOverlap(map: IdMap, side: 'inside' | 'outside', what: string): void {
  const sorted = map.toSorted((a, b) => a[side] - b[side]);
  for (const [i, range] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next && range[side] + range.count > next[side])
      throw new RangeError(`${what}: ${shown(range)} and ${shown(next)} overlap ${side}: ${next[side]} is in both`);
  }
}

function shown({ inside, outside, count }: IdRange): string {
  return `{ inside: ${number(inside)}, outside: ${number(outside)}, count: ${number(count)} }`;
}

/** What has to be a number, for an error: not each object can be made a string. */
function number(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
