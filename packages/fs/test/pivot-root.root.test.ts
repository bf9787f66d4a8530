import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { resultOf, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { attach, bind, bindMount, openPlace, pivotRoot, proc, propagation } from '@ctr/fs';

import { image, inUserNamespace, mapIds, printed, privateMounts, rejection, temporary } from './launched.js';

const look = 'cd /; echo *; busybox pwd; [ -d /proc/self ] && busybox cut -d" " -f5 /proc/self/mountinfo';

describe('pivotRoot', () => {
  it('leaves nothing of the old root, by path', async () => {
    const root = image();
    mkdirSync(join(root, 'proc'));
    const plan = [...bind(root, root), ...proc(join(root, 'proc')), ...pivotRoot(root)];
    expect(await printed(plan, look)).toBe('bin proc\n/\n/\n/proc');
  });

  it.each([
    ['as root', privateMounts, {}],
    ['in a user namespace', inUserNamespace, mapIds],
  ])('works with a mount that lies on top of the old root, %s', async (_, first, options) => {
    const { steps, mount } = bindMount(image());
    const top = openPlace('/');
    const plan = [...steps, ...top.steps, ...attach(mount, top.fd), ...pivotRoot(mount)];
    expect(await printed(plan, look, first(), options)).toBe('bin\n/');
  });

  it('leaves an open file of the old root the only way back', async () => {
    const { steps, mount } = bindMount(image());
    const old: Step = { call: 'openat', args: [-100, '/', 0], purpose: 'the old root', as: 'old' };
    const top = openPlace('/');
    const plan: Step[] = [
      old,
      ...steps,
      ...top.steps,
      ...attach(mount, top.fd),
      ...pivotRoot(mount),
      { call: 'fchdir', args: [resultOf(old)], purpose: 'back to the old one' },
    ];
    expect(await printed(plan, '[ -d etc ] && echo there; cd /; echo *')).toBe('there\nbin');
  });

  it('says that a plain directory is no new root', async () => {
    const same = await rejection(printed(pivotRoot(image()), ''));
    expect(same.message).toMatch(/^pivot_root\("\.", "\."\) = EBUSY .*\nhint: .* or a plain directory on the same mount: bind it onto itself/);
    const [at, root] = [temporary(), image()];
    const other = await rejection(printed([...bind(root, at), ...pivotRoot(join(at, 'bin'))], ''));
    expect(other.message).toMatch(/^pivot_root\("\.", "\."\) = EINVAL .*\nhint: the new root has to be the root of a mount/);
  });

  it('says that mounts must not be shared', async () => {
    const root = image();
    const error = await rejection(printed([...bind(root, root), ...propagation(root, 'shared'), ...pivotRoot(root)], ''));
    expect(error.message).toMatch(/^pivot_root\(.* = EINVAL .*\nhint: .* may be shared/);
  });

  it('says that the present root is no new one', async () => {
    expect((await rejection(printed(pivotRoot('/'), ''))).message).toMatch(/^pivot_root\(.* = EBUSY .*\nhint: the new root is the present root/);
  });
});
