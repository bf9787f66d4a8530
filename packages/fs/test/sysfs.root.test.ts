import { symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { cloneFlags } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { bindMount, inRoot, sysfs } from '@ctr/fs';

import { image, inUserNamespace, mapIds, mountsBelow, printed, privateMounts, rejection, temporary } from './launched.js';

describe('sysfs', () => {
  it('shows the interfaces of the network namespace, and cannot be written', async () => {
    const at = temporary();
    const output = await printed(sysfs(at), `cd ${at}; echo class/net/*; echo x 2>&1 > kernel/uevent_helper`, privateMounts(cloneFlags.CLONE_NEWNET));
    expect(output).toMatch(/^class\/net\/lo\n.*Read-only file system$/s);
  });

  it('can be writable', async () => {
    const at = temporary();
    const [mount] = await mountsBelow(at, sysfs(at, { readonly: false }));
    expect(mount).toMatchObject({ type: 'sysfs', options: ['rw', 'nosuid', 'nodev', 'noexec', 'relatime'] });
  });

  it('is refused to a user namespace that does not own its network namespace', async () => {
    const at = temporary();
    const [mount] = await mountsBelow(at, sysfs(at), inUserNamespace(cloneFlags.CLONE_NEWNET), mapIds);
    expect(mount?.type).toBe('sysfs');
    const error = await rejection(mountsBelow(at, sysfs(at), inUserNamespace(), mapIds));
    expect(error.message).toMatch(/^fs\w+\(.* = EPERM .*\nhint: .*a fresh proc or sysfs needs one/);
  });

  it('is refused where an image has put a link', async () => {
    const root = image();
    symlinkSync(temporary(), join(root, 'sys'));
    const rootMount = bindMount(root);
    const error = await rejection(mountsBelow('/', [...rootMount.steps, ...sysfs(inRoot(rootMount.mount, '/sys'))]));
    expect(error.message).toMatch(/^openat2\(.*"sys".* = ELOOP .*\nhint: \/sys has a symbolic link in it/);
  });
});
