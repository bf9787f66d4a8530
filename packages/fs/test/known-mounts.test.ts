// What is known of mounts is looked up by the components of a path: configurations have thousands of both.
import { openFd, type Fd } from '@ctr/syscall';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { knownMounts, mask, readonlyPath, type KnownMounts } from '@ctr/fs';

const MOUNTS = 4000;
const names = ['a', 'b', 'ab'];
let root: Fd;
beforeAll(() => {
  root = openFd('/', { directory: true });
});
afterAll(() => root.close());

/** The same mounts, and how often something of them is asked for. */
function counted(mounts: KnownMounts): { readonly mounts: KnownMounts; readonly asked: () => number } {
  let asked = 0;
  const count = <T>(value: T): T => {
    asked++;
    return value;
  };
  return {
    mounts: new Proxy(mounts, {
      get: (target, key) => count(Reflect.get(target, key) as unknown),
      getOwnPropertyDescriptor: (target, key) => count(Reflect.getOwnPropertyDescriptor(target, key)),
      ownKeys: (target) => {
        asked += MOUNTS;
        return Reflect.ownKeys(target);
      },
    }),
    asked: () => asked,
  };
}

/** What has been made last covers what is at its path and below, one pair after the other. */
function oneByOne(made: readonly (readonly [string, Fd | undefined])[]): KnownMounts {
  const known = new Map<string, Fd>();
  for (const [at, mount] of made) {
    for (const other of known.keys()) if (`${other}/`.startsWith(`${at}/`)) known.delete(other);
    if (mount) known.set(at, mount);
  }
  return Object.fromEntries(known);
}

describe('mounts that are known', () => {
  it.each([
    ['hidden', mask],
    ['read-only', readonlyPath],
  ])('are asked for once for each component of a path that is %s, however many they are', (_, protect) => {
    const { mounts, asked } = counted(Object.fromEntries(Array.from({ length: MOUNTS }, (__, i) => [`/m/${i}`, root])));
    const paths = Array.from({ length: 100 }, (__, i) => `/m/${i}/x/y`);
    expect(protect(root, paths, { mounts }).length).toBeGreaterThan(paths.length);
    expect(asked()).toBeLessThanOrEqual(paths.length * 6);
  });

  it('are those that are seen in the end, whatever comes after what', () => {
    const paths = names.flatMap((a) => [`/${a}`, ...names.flatMap((b) => [`/${a}/${b}`, `/${a}/${b}/c`])]);
    for (let seed = 1; seed <= 200; seed++) {
      const made = Array.from({ length: 6 }, (_, i) => {
        const at = (seed * 7919 + i * i * 104_729 + seed * i * 31) % paths.length;
        return [paths[at] ?? '/', (seed + i) % 5 === 0 ? undefined : root] as const;
      });
      expect(knownMounts(made)).toEqual(oneByOne(made));
    }
  });
});
