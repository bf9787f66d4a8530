import { grantedIds, idMap, type IdMaps, type IdRange } from '@ctr/namespaces';

import { isInUserNamespace, ownIdRanges } from './own-user-namespace.js';
import type { Spec } from './spec.js';

/** Ids that root gives to a user namespace when none are named: a range that no account has by convention. */
const DEFAULT_RANGE: readonly IdRange[] = [{ inside: 0, outside: 100_000, count: 65_536 }];

/** The ids of a container's new user namespace. */
export function idMapsOf({ ids, uidMap, gidMap }: Spec): IdMaps {
  const rest = uidMap && gidMap ? { uids: uidMap, gids: gidMap } : ids === 'own' ? ownIds() : process.geteuid?.() === 0 ? idsOfRoot() : grantedIds().maps;
  return { uids: uidMap ?? rest.uids, gids: gidMap ?? rest.gids };
}

/** Whether the maps are of the one id that a process can map itself. */
export function isOwnAlone({ uids, gids }: IdMaps): boolean {
  const own = ownIds();
  return isSame(uids, own.uids) && isSame(gids, own.gids);
}

/** Whether an id exists in a namespace with such a map. */
export function hasId(map: readonly IdRange[], id: number): boolean {
  return map.some(({ inside, count }) => id >= inside && id < inside + count);
}

/** The ids that the program's user has outside of the container, where root gives it a new user namespace: nobody in there may change the owner of what this process has made. */
export function ownerOutside(spec: Spec): { readonly uid: number; readonly gid: number } | undefined {
  if (spec.namespaces.user !== 'new' || process.geteuid?.() !== 0) return undefined;
  const { uids, gids } = idMapsOf(spec);
  const uid = outsideOf(uids, spec.user?.uid ?? 0);
  const gid = outsideOf(gids, spec.user?.gid ?? 0);
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

function outsideOf(map: readonly IdRange[], id: number): number | undefined {
  const range = map.find(({ inside, count }) => id >= inside && id < inside + count);
  return range && range.outside + id - range.inside;
}

/** Says that the user of a container is not among its ids, before there is a process. */
export function checkIsMapped({ user, ids, uidMap, gidMap }: Spec, maps: IdMaps): void {
  if (!user) return;
  const wanted = [['uid', user.uid, maps.uids], ...[user.gid, ...user.groups].map((gid) => ['gid', gid, maps.gids] as const)] as const;
  for (const [kind, id, map] of wanted) {
    if (hasId(map, id)) continue;
    const has = map.map(({ inside, count }) => span(inside, count)).join(', ');
    throw new Error(`user: the container has no ${kind} ${id}, but ${has} only: ${remedy(ids, uidMap !== undefined || gidMap !== undefined)}`);
  }
}

function remedy(ids: Spec['ids'], named: boolean): string {
  if (named) return 'give uidMap and gidMap that have it';
  if (ids === 'own') return "ids 'granted' give it all that /etc/subuid and /etc/subgid grant";
  const lacking = process.geteuid?.() === 0 ? undefined : grantedIds().lacking;
  return lacking ?? 'choose one of these, or give uidMap and gidMap';
}

/** Maps in a few words: `0 is 1000, 1-65536 are 100000-165535`. */
export function idMapsText({ uids, gids }: IdMaps): string {
  const text = (map: readonly IdRange[]): string =>
    map.map(({ inside, outside, count }) => `${span(inside, count)} ${count === 1 ? 'is' : 'are'} ${span(outside, count)}`).join(', ');
  return isSame(uids, gids) ? `uids and gids ${text(uids)}` : `uids ${text(uids)}; gids ${text(gids)}`;
}

function span(first: number, count: number): string {
  return count === 1 ? String(first) : `${first}-${first + count - 1}`;
}

function isSame(a: readonly IdRange[], b: readonly IdRange[]): boolean {
  return a.length === b.length && a.every(({ inside, outside, count }, i) => inside === b[i]?.inside && outside === b[i]?.outside && count === b[i]?.count);
}

/** The caller is root of the namespace, and nobody else exists in it. */
function ownIds(): IdMaps {
  const own = (id: number | undefined): readonly IdRange[] => [{ inside: 0, outside: id ?? 0, count: 1 }];
  return { uids: own(process.geteuid?.()), gids: own(process.getegid?.()) };
}

/** The root of a container has no others to give than those that the container has: they stay what they are. */
function idsOfRoot(): IdMaps {
  return isInUserNamespace() ? { uids: idMap(ownIdRanges('uid')), gids: idMap(ownIdRanges('gid')) } : { uids: DEFAULT_RANGE, gids: DEFAULT_RANGE };
}
