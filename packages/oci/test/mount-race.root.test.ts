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

it('hides what it has to of a bound /sys that is moved away and back', { timeout: ROUNDS * 600 }, async () => {
  mkdirSync(join(at.rootfs, 'other'));
  const mounts: Mount[] = [
    ...(defaultConfig().mounts ?? []).filter(({ destination }) => !destination.startsWith('/sys')),
    { destination: '/sys', type: 'bind', source: '/sys', options: ['rbind', 'ro'] },
  ];
  const tally: Record<string, number> = {};
  {
    await using _exchange = await exchanging(at.rootfs, 'sys', 'other');
    for (let round = 0; round < ROUNDS; round++) {
      const { output } = await ran(at, ['cat', '/proc/self/mountinfo'], { mounts, linux: { maskedPaths: ['/sys/kernel'], readonlyPaths: [] } });
      const all = parseMountinfo(output);
      const sys = all.find(({ type, root }) => type === 'sysfs' && root === '/');
      const isCovered = all.some(({ parent, type }) => parent === sys?.id && type === 'tmpfs');
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
