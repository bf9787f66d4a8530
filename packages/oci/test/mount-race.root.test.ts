// Directories of an image are exchanged while containers of it are created: what is hidden of a mount stays hidden.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { parseMountinfo } from '@ctr/fs';
import { defaultConfig, type Mount } from '@ctr/oci';
import { expect, it } from 'vitest';

import { record, rounds } from '../../../tools/race-record.mjs';
import { exchanging } from '../../runtime/test/attack/exchange.js';
import { place, ran } from './container.js';

const at = place();
const ROUNDS = rounds(100);
const boundSys: Mount[] = [
  ...(defaultConfig().mounts ?? []).filter(({ destination }) => !destination.startsWith('/sys')),
  { destination: '/sys', type: 'bind', source: '/sys', options: ['rbind', 'ro'] },
];

it('hides what it has to of a bound /sys that is moved away and back', { timeout: ROUNDS * 600 }, async () => {
  mkdirSync(join(at.rootfs, 'other'));
  const tally: Record<string, number> = {};
  {
    await using _exchange = await exchanging(at.rootfs, 'sys', 'other');
    for (let round = 0; round < ROUNDS; round++) {
      const { output } = await ran(at, ['cat', '/proc/self/mountinfo'], { mounts: boundSys, linux: { maskedPaths: ['/sys/kernel'], readonlyPaths: [] } });
      const all = parseMountinfo(output);
      const sys = all.find(({ type, root }) => type === 'sysfs' && root === '/');
      const isCovered = all.some(({ parent, type, mountPoint }) => parent === sys?.id && mountPoint.endsWith('/kernel') && type === 'tmpfs');
      const seen = `${sys?.mountPoint} ${isCovered ? 'protected' : 'open'}`;
      tally[seen] = (tally[seen] ?? 0) + 1;
    }
  }
  const { '/sys protected': still = 0, '/other protected': met = 0, ...open } = tally;
  expect(open).toEqual({});
  expect(still).toBeGreaterThan(0);
  expect(met).toBeGreaterThan(0);
  record({ race: 'a bound /sys of an OCI container that is moved away and back: hides what it has to', rounds: ROUNDS, met, gotThrough: 0 });
});

it('hides what it has to of a bound /sys that a hook moves away', async () => {
  const [from, to, empty] = ['sys', 'moved', 'other'].map((name) => join(at.rootfs, name)) as [string, string, string];
  mkdirSync(empty, { recursive: true });
  const move = `mv ${from} ${to} && mv ${empty} ${from}`;
  const { output } = await ran(at, ['cat', '/proc/self/mountinfo'], {
    mounts: boundSys,
    hooks: { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', move] }] },
    linux: { maskedPaths: ['/sys/kernel'], readonlyPaths: [] },
  });
  const all = parseMountinfo(output);
  const sys = all.find(({ type, root }) => type === 'sysfs' && root === '/');
  expect(sys?.mountPoint).toBe('/moved');
  expect(all.filter(({ parent }) => parent === sys?.id).map(({ mountPoint, type }) => [mountPoint, type])).toContainEqual(['/moved/kernel', 'tmpfs']);
});
