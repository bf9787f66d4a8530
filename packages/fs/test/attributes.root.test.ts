import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { attach, bindMount, openPlace, setAttributes, tmpfs } from '@ctr/fs';

import { inUserNamespace, mapIds, mountsBelow, privateMounts, rejection, temporary } from './launched.js';

describe('setAttributes', () => {
  it('sets those of a mount alone, or of all below it', async () => {
    for (const recursive of [false, true]) {
      const [from, at] = [temporary(), temporary()];
      mkdirSync(join(from, 'below'));
      const { steps, mount } = bindMount(from, { recursive: true });
      const place = openPlace(at);
      const plan = [
        ...tmpfs(join(from, 'below'), { noSuid: false, noDev: false }),
        ...steps,
        ...setAttributes(mount, { readonly: true, atime: 'noatime' }, { recursive }),
        ...place.steps,
        ...attach(mount, place.fd),
      ];
      const mounts = await mountsBelow(at, plan);
      expect(mounts.map(({ options }) => options.join())).toEqual(['ro,noatime', recursive ? 'ro,noatime' : 'rw,relatime']);
    }
  });

  it('cannot lift in a user namespace what came from outside, and says so', async () => {
    const from = temporary();
    const at = temporary();
    const { steps, mount } = bindMount(from);
    const place = openPlace(at);
    const inner = [...inUserNamespace(), ...steps, ...setAttributes(mount, { noSuid: false }), ...place.steps, ...attach(mount, place.fd)];
    const error = await rejection(mountsBelow(at, inner, [...privateMounts(), ...tmpfs(from, { noSuid: true })], mapIds));
    expect(error.message).toMatch(/^mount_setattr\(.*\) = EPERM .*\nhint: the attribute is locked/);
  });
});
