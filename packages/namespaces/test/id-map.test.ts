import { explain } from '@ctr/syscall';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { idMap, mapOwnIds, writeIdMaps, type IdRange } from '@ctr/namespaces';

/** The message with which something is refused; empty if it is not. */
function refusal(act: () => unknown): string {
  try {
    act();
    return '';
  } catch (error) {
    return String(error);
  }
}

const range = (inside: number, outside: number, count: number): IdRange => ({ inside, outside, count });

describe('idMap', () => {
  it('takes ranges up to the last id, and freezes a copy', () => {
    const ranges = [range(0, 1000, 1), range(1, 100_000, 65_535)];
    const map = idMap(ranges);
    expect(map).toEqual(ranges);
    expect(map).not.toBe(ranges);
    expect(Object.isFrozen(map) && map.every(Object.isFrozen)).toBe(true);
    expect(idMap([range(0, 0, 4_294_967_295)])).toHaveLength(1);
    expect(idMap([range(4_294_967_294, 4_294_967_294, 1)])).toHaveLength(1);
  });

  it('refuses overlaps, and shows both ranges', () => {
    expect(() => idMap([range(10, 0, 10), range(0, 100, 11)])).toThrow(
      new RangeError('an id map: { inside: 0, outside: 100, count: 11 } and { inside: 10, outside: 0, count: 10 } overlap inside: 10 is in both'),
    );
    expect(() => idMap([range(0, 0, 10), range(10, 9, 10)])).toThrow('overlap outside: 9 is in both');
    expect(() => idMap([range(0, 0, 1), range(0, 1, 1)])).toThrow('overlap inside: 0 is in both');
    expect(idMap([range(0, 10, 10), range(10, 0, 10)])).toHaveLength(2);
  });

  it('refuses empty ranges, ids beyond the last one, and what is no id', () => {
    expect(() => idMap([range(0, 0, 0)])).toThrow('{ inside: 0, outside: 0, count: 0 }: count is 0, and a range has at least one id');
    expect(() => idMap([range(0, 0, Object.create(null) as number)])).toThrow('{ inside: 0, outside: 0, count: an object }: count is an object, and');
    expect(() => idMap([range(0, 4_294_967_295, 1)])).toThrow('outside is 4294967295, and an id is a whole number from 0 to 4294967294');
    expect(() => idMap([range(1, 0, 4_294_967_295)])).toThrow('it goes up to 4294967295 inside, and the last id is 4294967294');
    expect(() => idMap([range(0, 4_294_967_290, 6)])).toThrow('it goes up to 4294967295 outside');
    for (const bad of [-1, 0.5, Number.NaN, Infinity, 2 ** 32, 2 ** 53, '0', null, 1n] as number[]) {
      expect(() => idMap([range(bad, 0, 1)])).toThrow(RangeError);
      expect(() => idMap([range(0, bad, 1)])).toThrow(RangeError);
      expect(() => idMap([range(0, 0, bad)])).toThrow(RangeError);
    }
  });

  it('refuses no range, more than 340, and more text than a page', () => {
    expect(() => idMap([])).toThrow('a map has at least one range');
    const many = (count: number, step: number): IdRange[] => Array.from({ length: count }, (_, i) => range(i, i * step, 1));
    expect(idMap(many(340, 1))).toHaveLength(340);
    expect(() => idMap(many(341, 1))).toThrow('a map has at most 340 ranges, not 341');
    expect(() => idMap(many(340, 12_000_000))).toThrow(/a map is shorter than 4096 bytes, and these 340 ranges have \d+/);
  });

  it('refuses other keys, and names the one that is meant', () => {
    const oci = { containerID: 0, hostID: 0, size: 1 } as unknown as IdRange;
    expect(() => idMap([oci])).toThrow(new TypeError('an id map: a range: there is no option "containerID"; there are inside, outside, count'));
    expect(() => idMap([{ ...range(0, 0, 1), cuont: 2 } as IdRange])).toThrow('did you mean count?');
  });

  it('takes exactly the maps in which no id is mapped twice', () => {
    const ids = fc.integer({ min: 0, max: 12 });
    fc.assert(
      fc.property(fc.array(fc.record({ inside: ids, outside: ids, count: fc.integer({ min: 1, max: 4 }) }), { minLength: 1, maxLength: 5 }), (ranges) => {
        const twice = (side: 'inside' | 'outside'): boolean => {
          const all = ranges.flatMap((r) => Array.from({ length: r.count }, (_, i) => r[side] + i));
          return new Set(all).size !== all.length;
        };
        expect(refusal(() => idMap(ranges))).toMatch(twice('inside') || twice('outside') ? /overlap/ : /^$/);
      }),
    );
  });
});

describe('mapOwnIds', () => {
  it('gives up setgroups, then writes one id each', () => {
    expect(explain(mapOwnIds({ uids: [range(0, 1000, 1)], gids: [range(0, 100, 1)] }))).toMatchInlineSnapshot(`
      "1  openat(AT_FDCWD, "/proc/self/setgroups", O_WRONLY|O_CLOEXEC) = $setgroups  # to keep the groups of all processes in it, which the kernel asks for before a group is mapped
      2  write($setgroups, "deny", 4)  # keep the groups of all processes in it, which the kernel asks for before a group is mapped
      3  close($setgroups)  # it is written
      4  openat(AT_FDCWD, "/proc/self/uid_map", O_WRONLY|O_CLOEXEC) = $uid_map  # to map the user id
      5  write($uid_map, "0 1000 1\\n", 9)  # map the user id
      6  close($uid_map)  # it is written
      7  openat(AT_FDCWD, "/proc/self/gid_map", O_WRONLY|O_CLOEXEC) = $gid_map  # to map the group id
      8  write($gid_map, "0 100 1\\n", 8)  # map the group id
      9  close($gid_map)  # it is written"
    `);
  });

  it('refuses more than one id, and names the way for them', () => {
    const one = [range(0, 0, 1)];
    expect(() => mapOwnIds({ uids: one, gids: [range(0, 0, 2)] })).toThrow(
      'gids: 2 ids are mapped, and a process can map one itself, its own: write the maps from outside, with writeIdMaps',
    );
    expect(() => mapOwnIds({ uids: [...one, range(1, 1, 1)], gids: one })).toThrow('uids: 2 ids');
  });

  it('says which map is wrong or missing', () => {
    const one = [range(0, 0, 1)];
    expect(() => mapOwnIds({ uids: one, gids: [] })).toThrow('gids: a map has at least one range');
    expect(() => mapOwnIds({ uids: one } as never)).toThrow(new TypeError('gids: undefined is not an array of ranges'));
    expect(() => mapOwnIds({ uids: one, gids: one, gid: one } as never)).toThrow('a pair of id maps: there is no option "gid": did you mean gids?');
  });
});

describe('writeIdMaps', () => {
  it('refuses maps and pids that are not well-formed before it writes anything', async () => {
    const one = [range(0, 0, 1)];
    await expect(writeIdMaps(0, { uids: one, gids: one })).rejects.toThrow('0 is not the pid of a process');
    await expect(writeIdMaps(1, { uids: one, gids: [range(0, 0, 0)] })).rejects.toThrow('gids: { inside: 0');
  });
});
