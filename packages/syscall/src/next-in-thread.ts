import { sharedObject } from './ffi.js';

/**
 * The next number of a counter, from 1. All copies of ctr in this thread count together: two versions of it, and those that a test runner loads into contexts of `node:vm`,
 * each of which has a global object of its own.
 *
 * @param name of the counter
 * @example
 * ```ts
 * import { nextInThread } from '@ctr/syscall';
 * nextInThread('example') < nextInThread('example'); // true
 * ```
 */
export function nextInThread(name: string): number {
  const key = Symbol.for(`ctr.${name}`);
  const counters = [globalThis, sharedObject] as { [key]?: number }[];
  const count = Math.max(...counters.map((counter) => counter[key] ?? 0)) + 1;
  for (const counter of counters) counter[key] = count;
  return count;
}
