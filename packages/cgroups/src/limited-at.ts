import { readFileSync } from 'node:fs';

import { namesOf, needsUnified, type Limited } from './controllers.js';
import { CgroupError } from './error.js';
import type { Limits } from './limits.js';
import type { Place } from './place.js';

/** A directory of a group that is there, and the controllers of it that limits are about. */
export interface LimitedPlace extends Limited {
  readonly directory: string;
}

/**
 * Where limits belong in a group that is there. On version 2 a controller is in each group that the one above passes it on to, whether the group was made for it or not;
 * on version 1 there is a directory only for those it was made for.
 */
export function limitedAt(places: readonly Place[], limits: Limits): LimitedPlace[] {
  const at = new Map<Place, string[]>();
  for (const names of namesOf(limits)) {
    const place = places.find((candidate) => has(candidate, names[candidate.version]));
    if (!place) throw without(names, places);
    at.set(place, [...(at.get(place) ?? []), names[place.version]]);
  }
  if (needsUnified(limits)) {
    const place = places.find(({ version }) => version === 2);
    if (!place) throw new CgroupError('no-controller', 'this group has no directory of version 2, which pressure and unified are about');
    if (!at.has(place)) at.set(place, []);
  }
  return [...at].map(([{ version, directory }, controllers]) => ({ version, directory, controllers }));
}

function has({ version, controllers, directory }: Place, name: string): boolean {
  return controllers.includes(name) || (version === 2 && controllersIn(directory).includes(name));
}

function controllersIn(directory: string): string[] {
  try {
    return readFileSync(`${directory}/cgroup.controllers`, 'latin1').split(/\s+/);
  } catch {
    // The group is gone: the first write says so.
    return [];
  }
}

function without(names: Readonly<Record<1 | 2, string>>, places: readonly Place[]): CgroupError {
  const name = places.every(({ version }) => version === 2) ? names[2] : names[1];
  return new CgroupError('no-controller', `this group was made without the ${name} controller: give it a limit of that from the beginning ('max' is one)`);
}
