import { describe, expect, it } from 'vitest';

import { subIds } from '@ctr/namespaces';

import { parseSubIds } from '../src/sub-ids.js';

const liz = { uid: 1000, username: 'liz' };
const parse = (content: string, user: Parameters<typeof parseSubIds>[1] = liz) => parseSubIds(content, user, '/etc/subuid');

describe('subIds', () => {
  it('reads the files of this machine for any user', async () => {
    expect(await subIds({ uid: 4_000_000_000 })).toEqual({ uids: [], gids: [] });
    const own = await subIds();
    expect(Array.isArray(own.uids) && Array.isArray(own.gids)).toBe(true);
  });

  it('has every line of the user, by name and by uid, in order', () => {
    const file = 'root:1:2\nliz:100000:65536\nlizzy:5:5\n1000:300000:10\n# a comment\n\n10001:7:7\nliz:200000:1\n';
    expect(parse(file)).toEqual([
      { start: 100_000, count: 65_536 },
      { start: 300_000, count: 10 },
      { start: 200_000, count: 1 },
    ]);
    expect(parse(file, { uid: 1000 })).toEqual([{ start: 300_000, count: 10 }]);
    expect(parse('')).toEqual([]);
    expect(parse('liz:0:4294967295')).toEqual([{ start: 0, count: 4_294_967_295 }]);
  });

  for (const line of [
    'liz',
    'liz:',
    'liz:1',
    'liz:1:',
    'liz::1',
    'liz:1:2:3',
    'liz:-1:1',
    'liz:1:-1',
    'liz:01:1',
    'liz:1: 2',
    'liz:1:2 ',
    'liz:1:2\r',
    'liz:1e5:1',
    'liz:0x10:1',
    'liz:4294967296:1',
    'liz:1:4294967296',
  ]) {
    it(`refuses ${JSON.stringify(line)}, and says where it stands`, () => {
      expect(() => parse(`root:1:1\n${line}\n`)).toThrow(`/etc/subuid, line 2: ${JSON.stringify(line)} is not of the form name:first:count`);
    });
  }

  it('refuses ranges that are empty or go beyond the last id', () => {
    for (const line of ['liz:1:0', 'liz:4294967290:6', 'liz:4294967294:2'])
      expect(() => parse(line)).toThrow('has no ids, or goes beyond the last one, 4294967294');
  });

  it("does not mind other users' lines", () => {
    expect(parse('root:x\nother\n:::\nliz:1:1')).toEqual([{ start: 1, count: 1 }]);
  });
});
