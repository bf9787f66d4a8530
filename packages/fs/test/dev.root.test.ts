import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { cloneFlags, isSyscallError, type Plan, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { attach, bindMount, dev, device, inRoot, openPlace, pivotRoot, type DevOptions } from '@ctr/fs';

import { image, inUserNamespace, mapIds, printed, privateMounts, rejection, temporary } from './launched.js';

/** The steps that make an image the root, with a /dev. */
function rootWithDev(directory: string, options: DevOptions, more: (mount: ReturnType<typeof dev>['mount']) => Plan = () => []): Step[] {
  const root = bindMount(directory);
  const top = openPlace('/');
  const { steps, mount } = dev(inRoot(root.mount, '/dev'), options);
  return [...root.steps, ...top.steps, ...attach(root.mount, top.fd), ...steps, ...more(mount), ...pivotRoot(root.mount)];
}

describe('dev', () => {
  it('has all that a program expects', async () => {
    const plan = rootWithDev(image(), { nodes: 'make', mqueue: true }, (mount) => [device(mount, 'fuse', { major: 10, minor: 229 })]);
    const output = await printed(
      plan,
      `cd /dev; echo *; busybox stat -c '%n %a' . pts shm mqueue; busybox stat -f -c '%T %b' . shm; exec 3<>ptmx && echo pts/*; busybox touch /dev/shm/x && echo ok`,
      privateMounts(cloneFlags.CLONE_NEWIPC),
    );
    expect(output).toBe(
      [
        'fd full fuse mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero',
        '. 755\npts 755\nshm 1777\nmqueue 1777',
        'tmpfs 16384\ntmpfs 16384',
        'pts/0 pts/ptmx',
        'ok',
      ].join('\n'),
    );
  });

  it('is made in a user namespace, of the host’s devices', async () => {
    const plan = rootWithDev(image(), { nodes: 'bind', mqueue: true, shm: { sizeBytes: 2 ** 20 }, sizeBytes: 2 ** 16 });
    const output = await printed(
      plan,
      `cd /dev; echo *; echo x > null && echo ok; busybox stat -f -c %b . shm`,
      inUserNamespace(cloneFlags.CLONE_NEWIPC),
      mapIds,
    );
    expect(output).toBe('fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero\nok\n16\n256');
  });

  it('has what the image put there covered', async () => {
    const root = image();
    mkdirSync(join(root, 'dev'));
    writeFileSync(join(root, 'dev/null'), 'not the null device');
    symlinkSync('/etc', join(root, 'dev/pts'));
    const output = await printed(rootWithDev(root, { nodes: 'make' }), `busybox cat /dev/null; busybox stat -c '%F' /dev/null /dev/pts`);
    expect(output).toBe('character special file\ndirectory');
  });

  describe.each([
    ['an absolute link out of the root', (canary: string) => canary],
    ['a relative link out of the root', (canary: string) => `../../..${canary}`],
    ['a dangling link', () => '/nowhere'],
    ['a link of the host’s proc', () => '/proc/self/cwd'],
  ])('of an image that has %s in its place', (_, target) => {
    it.each(['make', 'bind'] as const)('is refused, and nothing outside is touched: nodes: %s', async (nodes) => {
      const root = image();
      const canary = temporary();
      symlinkSync(target(canary), join(root, 'dev'));
      const error = await rejection(printed(rootWithDev(root, { nodes }), ''));
      expect(isSyscallError(error) && [error.call, error.code]).toEqual(['openat2', 'ENOENT']);
      expect(readdirSync(canary)).toEqual([]);
    });
  });

  it('goes where a link within the root leads', async () => {
    const root = image();
    mkdirSync(join(root, 'devices'));
    symlinkSync('/devices', join(root, 'dev'));
    expect(await printed(rootWithDev(root, { nodes: 'make' }), 'busybox stat -c %F /devices/null /dev/zero; echo /devices/pts/*')).toBe(
      'character special file\ncharacter special file\n/devices/pts/ptmx',
    );
    expect(readdirSync(join(root, 'devices'))).toEqual([]);
  });
});
