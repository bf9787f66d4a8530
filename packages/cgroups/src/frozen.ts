import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { keyed } from './counter.js';
import { CgroupError } from './error.js';
import type { Place } from './place.js';

/**
 * Which group keeps the processes of a directory frozen, now or as soon as it is made: the nearest one that was frozen itself, at the directory or above.
 * One that the mount does not show has no name: then it is said to be above the topmost one that can be seen.
 *
 * @param directory of a group, in a hierarchy of either version; it need not be there
 * @returns `undefined` where nothing is frozen
 * @example
 * ```ts
 * import { frozenBy } from '@ctr/cgroups';
 * console.log(frozenBy('/sys/fs/cgroup/ctr/web') ?? 'processes run there');
 * ```
 */
export function frozenBy(directory: string): string | undefined {
  let top: string | undefined;
  for (let at = directory; ; at = dirname(at)) {
    const v1 = read(`${at}/freezer.self_freezing`);
    const v2 = v1 === undefined ? read(`${at}/cgroup.freeze`) : undefined;
    if (v1 === '1' || v2 === '1') return at;
    if (v1 !== undefined || v2 !== undefined) top = at;
    // The group at the top of a hierarchy has neither file; one that is not made yet has groups above it that are.
    else if (top !== undefined || at === dirname(at)) break;
  }
  return top !== undefined && isFrozenFromAbove(top) ? `a group above ${top}` : undefined;
}

/**
 * Throws a {@link CgroupError} of kind `frozen` where a process of this group would not run, whether the group is there or not: it names what is frozen.
 *
 * @param group its places, as {@link planGroup} has found them
 * @example
 * ```ts
 * import { checkThawed, groupName, planGroup } from '@ctr/cgroups';
 * checkThawed(planGroup(groupName(), { pids: 20 }));
 * ```
 */
export function checkThawed({ places }: { readonly places: readonly Place[] }): void {
  for (const { version, controllers, base, parents, directory } of places) {
    if (version === 1 && !controllers.includes('freezer')) continue;
    // The nearest one that is there tells of all above it.
    const nearest = [directory, ...parents.toReversed(), base].find(existsSync);
    if (nearest === undefined || !isFrozen(nearest)) continue;
    const error = frozenError([directory], 'no process runs in it: thaw that first');
    if (error) throw error;
  }
}

function isFrozen(directory: string): boolean {
  const state = read(`${directory}/freezer.state`);
  return state === undefined ? isFrozenFromAbove(directory) : state !== 'THAWED';
}

function isFrozenFromAbove(top: string): boolean {
  if (read(`${top}/freezer.parent_freezing`) === '1') return true;
  const events = read(`${top}/cgroup.events`);
  return events !== undefined && keyed(events, 'frozen') === 1;
}

/** @param what is the consequence, in words */
export function frozenError(directories: readonly string[], what: string): CgroupError | undefined {
  for (const directory of directories) {
    const by = frozenBy(directory);
    if (by !== undefined) return new CgroupError('frozen', `the cgroup ${directory} is frozen${by === directory ? '' : ` by ${by}`}: ${what}`);
  }
  return undefined;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1').trim();
  } catch {
    return undefined;
  }
}
