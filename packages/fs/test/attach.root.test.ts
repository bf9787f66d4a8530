import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { openFd, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { attach, attachBelow, openPlace, tmpfs, tmpfsMount, unmount } from '@ctr/fs';

import { mountsBelow, rejection, temporary } from './launched.js';

describe('attach', () => {
  it('says that a directory goes on a directory', async () => {
    const file = join(temporary(), 'file');
    writeFileSync(file, '');
    const { steps, mount } = tmpfsMount();
    const place = openPlace(file, { directory: false });
    const error = await rejection(mountsBelow('/', [...steps, ...place.steps, ...attach(mount, place.fd)]));
    expect(error.message).toMatch(/^move_mount\(.*\) = EINVAL .*\nhint: one of the two is a directory and the other is a file/);
  });

  it('says that a place the host has opened is in another mount namespace', async () => {
    using place = openFd(temporary(), { directory: true });
    const { steps, mount } = tmpfsMount();
    const error = await rejection(mountsBelow('/', [...steps, ...attach(mount, place)]));
    expect(error.message).toMatch(/^move_mount\(.*\) = EINVAL .*\nhint: .* or the place is in another mount namespace/);
  });

  it('says that a place has been removed', async () => {
    const directory = temporary();
    mkdirSync(join(directory, 'gone'));
    const place = openPlace(join(directory, 'gone'));
    const remove: Step = { call: 'unlinkat', args: [-100, join(directory, 'gone'), 0x200], purpose: 'remove the place' };
    const { steps, mount } = tmpfsMount();
    const error = await rejection(mountsBelow('/', [...place.steps, remove, ...steps, ...attach(mount, place.fd)]));
    expect(error.message).toMatch(/^move_mount\(.*\) = ENOENT .*\nhint: the place has been removed meanwhile/);
  });
});

describe('attachBelow', () => {
  it('attaches to a path, and to no link', async () => {
    const at = temporary();
    mkdirSync(join(at, 'a/b'), { recursive: true });
    symlinkSync('b', join(at, 'a/link'));
    const { steps, mount } = tmpfsMount();
    const place = openPlace(at);
    const [found] = await mountsBelow(at, [...steps, ...place.steps, attachBelow(mount, place.fd, 'a/b')]);
    expect(found?.mountPoint).toBe(join(at, 'a/b'));
    const error = await rejection(mountsBelow(at, [...steps, ...place.steps, attachBelow(mount, place.fd, 'a/link')]));
    expect(error.message).toMatch(/^move_mount\(.* = EINVAL /);
  });
});

describe('unmount', () => {
  it('takes the topmost mount away', async () => {
    const at = temporary();
    const mounts = await mountsBelow(at, [...tmpfs(at, { source: 'one' }), ...tmpfs(at, { source: 'two' }), ...unmount(at, { detach: true })]);
    expect(mounts.map(({ source }) => source)).toEqual(['one']);
  });

  it('says what keeps a mount, and detaches it all the same if asked to', async () => {
    const at = temporary();
    const use: Step[] = [{ call: 'chdir', args: [at], purpose: 'work in it' }];
    const error = await rejection(mountsBelow(at, [...tmpfs(at), ...use, ...unmount(at)]));
    expect(error.message).toMatch(/^umount2\(.*\) = EBUSY .*\nhint: a process works in it/);
    expect(await mountsBelow(at, [...tmpfs(at), ...use, ...unmount(at, { detach: true })])).toEqual([]);
  });

  it('says that there is no mount, also behind a link to one', async () => {
    const at = temporary();
    const link = join(temporary(), 'link');
    symlinkSync(at, link);
    for (const path of [temporary(), link]) {
      const error = await rejection(mountsBelow(at, [...tmpfs(at), ...unmount(path)]));
      expect(error.message).toMatch(/^umount2\(.*\) = EINVAL .*\nhint: .* is not a mount point, or is locked/);
    }
  });
});
