import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { AT_FDCWD, cloneFlags, fileTypes, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { attach, bindMount, inRoot, mask, openPlace, pivotRoot, proc, type MaskOptions } from '@ctr/fs';

import { image, inUserNamespace, mapIds, printed, privateMounts, rejection, temporary } from './launched.js';

/** The steps that make an image the root, with paths masked. */
function masked(directory: string, paths: readonly string[], options?: MaskOptions): Step[] {
  const root = bindMount(directory);
  const top = openPlace('/');
  return [
    ...root.steps,
    ...top.steps,
    ...attach(root.mount, top.fd),
    ...proc(inRoot(root.mount, '/proc')),
    ...mask(root.mount, paths, options),
    ...pivotRoot(root.mount),
  ];
}

function secrets(): string {
  const root = image();
  for (const name of ['one', 'two', 'three']) {
    mkdirSync(join(root, `dir-${name}`));
    writeFileSync(join(root, `dir-${name}/secret`), 'secret');
    writeFileSync(join(root, name), 'secret');
  }
  return root;
}

const paths = ['/one', '/missing', '/dir-one', '/two', '/dir-two', '/one/below', '/dir-three/', 'three', '/missing/below'];

describe('mask', () => {
  it.each([
    ['as root', privateMounts, {}],
    ['in a user namespace', () => inUserNamespace(cloneFlags.CLONE_NEWPID), mapIds],
  ])('hides files and directories, and leaves out what is missing, %s', async (_, first, options) => {
    const output = await printed(
      masked(secrets(), paths),
      `cat() { busybox cat "$@"; }; cat one two three && echo '(empty)'; echo x > one && cat one; for d in dir-*; do busybox ls $d; busybox touch $d/x; done 2>&1`,
      first(),
      options,
    );
    expect(output).toBe(['(empty)', ...['one', 'two', 'three'].toSorted().map((name) => `touch: dir-${name}/x: Read-only file system`)].join('\n'));
  });

  it('hides what a link within the root leads to', async () => {
    const root = secrets();
    symlinkSync('/one', join(root, 'link'));
    expect(await printed(masked(root, ['/link']), 'busybox cat /one /two')).toBe('secret');
  });

  it('hides a part of proc', async () => {
    const text = 'busybox wc -c < /proc/keys; busybox ls /proc/irq | busybox wc -l; busybox cut -d" " -f5 /proc/self/mountinfo';
    expect(await printed(masked(image(), ['/proc/keys', '/proc/irq']), text)).toBe('0\n0\n/\n/proc\n/proc/keys\n/proc/irq');
  });

  it('lets nobody change the null device of the host by way of it', async () => {
    const before = statSync('/dev/null').mode;
    expect(await printed(masked(secrets(), ['/one']), 'echo x > /one && busybox chmod 600 /one 2>&1; busybox chown 1 /one 2>&1')).toBe(
      'chmod: /one: Read-only file system\nchown: /one: Read-only file system',
    );
    expect(statSync('/dev/null').mode).toBe(before);
  });

  it('takes the null device from nowhere but the host', async () => {
    const root = secrets();
    mkdirSync(join(root, 'dev'));
    symlinkSync('/two', join(root, 'dev/null'));
    expect(await printed(masked(root, ['/one']), 'busybox cat /one')).toBe('');
  });

  it.each<[string, (path: string) => Step]>([
    ['a file', (path) => ({ call: 'mknodat', args: [AT_FDCWD, path, fileTypes.S_IFREG | 0o666, 0], purpose: 'a false null device' })],
    ['another device', (path) => ({ call: 'mknodat', args: [AT_FDCWD, path, fileTypes.S_IFCHR | 0o666, (1 << 8) | 5], purpose: 'a false null device' })],
    [
      'a block device of the same number',
      (path) => ({ call: 'mknodat', args: [AT_FDCWD, path, fileTypes.S_IFBLK | 0o666, (1 << 8) | 3], purpose: 'a false null device' }),
    ],
  ])('refuses a null device that is %s', async (_, make) => {
    const nullDevice = join(temporary(), 'null');
    const error = await rejection(printed([make(nullDevice), ...masked(secrets(), ['/one'], { nullDevice })], ''));
    expect(error.message).toMatch(/ENODEV.*\nhint: .*\/null is not the character device 1:3/);
  });
});
