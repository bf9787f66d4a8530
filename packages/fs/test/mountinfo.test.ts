import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { parseMountinfo } from '@ctr/fs';

const fixture = (name: string): ReturnType<typeof parseMountinfo> =>
  parseMountinfo(readFileSync(new URL(`fixtures/${name}.mountinfo`, import.meta.url), 'utf8'));

describe('parseMountinfo', () => {
  it('reads the table of a container', () => {
    const mounts = fixture('container');
    expect(mounts.length).toBe(20);
    expect(mounts[3]).toEqual({
      id: 67,
      parent: 64,
      major: 0,
      minor: 42,
      root: '/',
      mountPoint: '/dev',
      options: ['rw', 'nosuid', 'relatime'],
      propagation: {},
      type: 'tmpfs',
      source: 'tmpfs',
      superOptions: ['rw', 'size=65536k', 'mode=755'],
    });
    expect(mounts.filter(({ root }) => root === '/null').map(({ mountPoint }) => mountPoint)).toEqual(['/dev/null', '/proc/keys']);
  });

  it('reads names of any bytes, and a source that is empty', () => {
    const mounts = fixture('odd-names');
    const names = ['a space', 'a\ttab', 'a\nnewline', 'a\\backslash', 'a#hash', 'a - dash', '\u00e9'];
    expect(mounts.slice(2, 9).map(({ mountPoint, source }) => [mountPoint, source])).toEqual(names.map((name) => [`/${name}`, name]));
    expect(mounts[9]).toMatchObject({ mountPoint: '/empty', source: '', superOptions: ['rw'] });
    expect(mounts[10]).toMatchObject({ mountPoint: '/bound', root: '/tmp/root/gone//deleted' });
    expect(mounts[11]?.superOptions).toEqual(['ro', 'lowerdir=/tmp/root/l1:/tmp/root/l,2', 'redirect_dir=on']);
  });

  it('reads how mounts propagate', () => {
    const found = Object.fromEntries(fixture('propagation').map(({ mountPoint, propagation }) => [mountPoint, propagation]));
    expect(found).toEqual({
      '/': {},
      '/proc': {},
      '/shared': { shared: 1 },
      '/slave': { master: 2 },
      '/both': { shared: 4, master: 3 },
      '/private': {},
      '/unbindable': { unbindable: true },
    });
    const [mount] = parseMountinfo('1 0 0:1 / / rw master:3 propagate_from:2 future_tag:x - tmpfs none rw\n');
    expect(mount?.propagation).toEqual({ master: 3, propagateFrom: 2 });
  });

  it('quotes a line that it does not understand', () => {
    expect(parseMountinfo('')).toEqual([]);
    for (const line of ['x', '1 0 0:1 / / rw tmpfs none rw', '1 0 0 / / rw - tmpfs none rw', 'a 0 0:1 / / rw - tmpfs none rw', '1 0 0:1 / / rw - tmpfs none'])
      expect(() => parseMountinfo(`${line}\n`)).toThrow(new Error(`not a line of mountinfo: ${JSON.stringify(line)}`));
  });
});
