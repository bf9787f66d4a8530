import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { AT_FDCWD, cloneFlags, continueInChild, openFlags, resultOf, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { bind, propagation, tmpfs, type MountPropagation, type Propagation } from '@ctr/fs';

import { mountsBelow, rejection, temporary } from './launched.js';

describe('propagation', () => {
  it.each<[Propagation, (keyof MountPropagation)[]]>([
    ['private', []],
    ['shared', ['shared']],
    ['unbindable', ['unbindable']],
  ])('makes a mount %s, and those below only if it is recursive', async (kind, expected) => {
    for (const recursive of [false, true]) {
      const at = temporary();
      mkdirSync(join(at, 'below'));
      const other = kind === 'private' ? 'shared' : 'private';
      const plan = [...bind(at, at), ...tmpfs(join(at, 'below')), ...propagation(at, other, { recursive: true }), ...propagation(at, kind, { recursive })];
      const [top, below] = await mountsBelow(at, plan);
      expect(Object.keys(top?.propagation ?? { not: 'there' })).toEqual(expected);
      expect(Object.keys(below?.propagation ?? { not: 'there' })).toEqual(recursive ? expected : kind === 'private' ? ['shared'] : []);
    }
  });

  it.each(['master', 'slave'])('lets the mounts of a master into a slave, and none of the slave out: seen by the %s', async (seenBy) => {
    const at = temporary();
    mkdirSync(join(at, 'in'));
    mkdirSync(join(at, 'out'));
    const namespace = (): Step => ({
      call: 'openat',
      args: [AT_FDCWD, '/proc/self/ns/mnt', openFlags.O_RDONLY],
      purpose: 'this mount namespace, which stays as long as the program has it open',
    });
    const enter = (opened: Step): Step => ({ call: 'setns', args: [resultOf(opened), cloneFlags.CLONE_NEWNS], purpose: 'go there' });
    const [master, slave] = [namespace(), namespace()];
    const plan = [
      ...bind(at, at),
      ...propagation(at, 'shared'),
      master,
      ...continueInChild({ namespaces: cloneFlags.CLONE_NEWNS }),
      slave,
      ...propagation(at, 'slave'),
      enter(master),
      ...tmpfs(join(at, 'in')),
      enter(slave),
      ...tmpfs(join(at, 'out')),
      enter(seenBy === 'master' ? master : slave),
    ];
    const seen = (await mountsBelow(at, plan)).map(({ mountPoint, propagation: kinds }) => `${mountPoint.slice(at.length)} ${Object.keys(kinds).join()}`);
    expect(seen).toEqual(seenBy === 'master' ? [' shared', '/in shared'] : [' master', '/in master', '/out ']);
  });

  it('says that there is no mount', async () => {
    const at = temporary();
    expect((await rejection(mountsBelow(at, propagation(at, 'private')))).message).toMatch(
      /^mount_setattr\(.* = EINVAL .*\nhint: .* is not the root of a mount/,
    );
  });
});
