import { expect, it } from 'vitest';

import { devpts } from '@ctr/fs';

import { mountsBelow, printed, temporary } from './launched.js';

it('devpts has nobody else’s terminals', async () => {
  const at = temporary();
  const output = await printed(devpts(at, { ptmxMode: 0o640 }), `busybox ls ${at}; exec 3<>${at}/ptmx; busybox stat -c '%n %a %g' ${at}/0 ${at}/ptmx`);
  expect(output).toBe(`ptmx\n${at}/0 620 5\n${at}/ptmx 640 0`);
});

it('devpts leaves the group of a terminal to who makes it', async () => {
  const at = temporary();
  const [mount] = await mountsBelow(at, devpts(at, { gid: null, max: 3 }));
  expect(mount).toMatchObject({ options: ['rw', 'nosuid', 'noexec', 'relatime'], superOptions: ['rw', 'mode=620', 'ptmxmode=666', 'max=3'] });
});
