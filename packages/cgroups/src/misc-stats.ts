import { limitOf, number, valuesOf, wordsOf, type Source } from './counter.js';
import type { MiscStatistics } from './statistics.js';

/** `misc.current`, `misc.max` and `misc.events`, the same on both versions. @see Documentation/admin-guide/misc.rst of the kernel */
export function miscStatistics({ read }: Source): MiscStatistics[] {
  const current = wordsOf(read('misc.current'));
  const max = wordsOf(read('misc.max'));
  const events = valuesOf(read('misc.events'));
  return [...new Set([...current.keys(), ...max.keys()])].map((resource) => ({
    resource,
    current: number(current.get(resource)?.[0]),
    max: limitOf(max.get(resource)?.[0]),
    maxHits: events.get(`${resource}.max`),
  }));
}
