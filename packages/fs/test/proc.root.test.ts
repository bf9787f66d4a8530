import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { cloneFlags, isSyscallError } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { attach, bindMount, inRoot, openPlace, pivotRoot, proc, procMount, tmpfsMount } from '@ctr/fs';

import { image, inUserNamespace, mapIds, mountsBelow, printed, privateMounts, rejection, temporary } from './launched.js';

describe('proc', () => {
  it('shows the pid namespace that it was mounted in', async () => {
    const at = temporary();
    const output = await printed(proc(at), `cd ${at}; echo [0-9]*`, privateMounts(cloneFlags.CLONE_NEWPID));
    expect(output).toBe('1');
  });

  it('has the options and attributes it was given', async () => {
    const at = temporary();
    const [mount] = await mountsBelow(at, proc(at, { hidePid: 'ptraceable', subset: 'pid', readonly: true }));
    expect(mount).toMatchObject({ type: 'proc', source: 'proc', options: ['ro', 'nosuid', 'nodev', 'noexec', 'relatime'] });
    expect(mount?.superOptions).toEqual(['rw', 'hidepid=ptraceable', 'subset=pid']);
  });

  it('can be mounted in a user namespace that owns its pid namespace', async () => {
    const at = temporary();
    const [mount] = await mountsBelow(at, proc(at), inUserNamespace(cloneFlags.CLONE_NEWPID), mapIds);
    expect(mount?.type).toBe('proc');
  });

  it('says why a user namespace may not have one of a pid namespace that is not its own', async () => {
    const error = await rejection(mountsBelow('/', proc(temporary()), inUserNamespace(), mapIds));
    expect(error.message).toMatch(/fsconfig\(.*FSCONFIG_CMD_CREATE.*\) = EPERM.*\nhint: mounting needs CAP_SYS_ADMIN in the user namespace that owns/);
  });

  it('goes on elsewhere on refusal, if it is told to', async () => {
    const at = temporary();
    const instead = tmpfsMount({ as: 'instead' });
    const [start] = instead.steps;
    if (!start) throw new Error('no steps');
    const place = openPlace(at);
    const plan = [...place.steps, ...procMount({ onFailure: start }).steps, ...instead.steps, ...attach(instead.mount, place.fd)];
    const [mount] = await mountsBelow(at, plan, inUserNamespace(), mapIds);
    expect(mount?.type).toBe('tmpfs');
  });

  describe.each([
    ['an absolute link', (canary: string) => canary],
    ['a relative link', (canary: string) => `../${canary.split('/').at(-1)}`],
    ['a link to a directory of the root itself', () => '/elsewhere'],
    ['a dangling link', () => '/nowhere'],
  ])('below a root that has %s in its place', (_, target) => {
    it('is refused, and mounted nowhere', async () => {
      const root = image();
      const canary = temporary();
      mkdirSync(join(root, 'elsewhere'));
      symlinkSync(target(canary), join(root, 'proc'));
      const rootMount = bindMount(root);
      const error = await rejection(mountsBelow('/', [...rootMount.steps, ...proc(inRoot(rootMount.mount, '/proc'))]));
      expect(isSyscallError(error) && [error.call, error.code]).toEqual(['openat2', 'ELOOP']);
      expect(error.message).toContain('/proc has a symbolic link in it');
    });
  });

  it('is mounted below a root that has a directory in its place, or nothing', async () => {
    for (const make of [() => {}, (root: string) => mkdirSync(join(root, 'proc'))]) {
      const root = image();
      make(root);
      const rootMount = bindMount(root);
      const top = openPlace('/');
      const plan = [
        ...rootMount.steps,
        ...top.steps,
        ...attach(rootMount.mount, top.fd),
        ...proc(inRoot(rootMount.mount, '/proc')),
        ...pivotRoot(rootMount.mount),
      ];
      expect(await printed(plan, 'busybox cut -d" " -f5 /proc/self/mountinfo')).toBe('/\n/proc');
    }
  });
});
