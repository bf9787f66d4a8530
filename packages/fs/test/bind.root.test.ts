import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { AT_FDCWD, openFd, openFlags, resultOf, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { bind, tmpfs } from '@ctr/fs';

import { mountsBelow, printed, rejection, temporary } from './launched.js';

describe('bind', () => {
  it('shows a directory at a second place', async () => {
    const [from, at] = [temporary(), temporary()];
    writeFileSync(join(from, 'file'), 'content');
    expect(await printed(bind(from, at), `busybox cat ${at}/file`)).toBe('content');
  });

  it('shows a file, and keeps it from being written', async () => {
    const [from, at] = [join(temporary(), 'from'), join(temporary(), 'at')];
    writeFileSync(from, 'content');
    writeFileSync(at, '');
    expect(await printed(bind(from, at, { kind: 'file', readonly: true }), `busybox cat ${at}; echo x > ${at}`)).toMatch(/^content.*Read-only file system/s);
  });

  it('leaves out what is mounted below, unless it is recursive; then attributes are for all of it', async () => {
    const [from, at] = [temporary(), temporary()];
    mkdirSync(join(from, 'below'));
    const mounted = tmpfs(join(from, 'below'));
    expect((await mountsBelow(at, [...mounted, ...bind(from, at)])).length).toBe(1);
    const again = tmpfs(join(from, 'below'));
    const both = await mountsBelow(at, [...again, ...bind(from, at, { recursive: true, readonly: true, noExec: true })]);
    expect(both.map(({ mountPoint, options }) => [mountPoint.slice(at.length), options.join()])).toEqual([
      ['', 'ro,noexec,relatime'],
      ['/below', 'ro,nosuid,nodev,noexec,relatime'],
    ]);
  });

  it('takes an open file of the same mount namespace', async () => {
    const [from, at] = [temporary(), temporary()];
    const open: Step = { call: 'openat', args: [AT_FDCWD, from, openFlags.O_PATH | openFlags.O_CLOEXEC], purpose: 'the directory' };
    const [mount] = await mountsBelow(at, [open, ...bind(resultOf(open), at)]);
    expect(mount?.root.endsWith(from)).toBe(true);
  });

  it('says that an open file is of another mount namespace', async () => {
    using from = openFd(temporary());
    const error = await rejection(mountsBelow('/', bind(from, temporary())));
    expect(error.message).toMatch(/^open_tree\(.*\) = EINVAL .*\nhint: the file is in another mount namespace/);
  });

  it('says what does not exist, and what is no directory', async () => {
    const missing = join(temporary(), 'missing');
    const error = await rejection(mountsBelow('/', bind(missing, temporary())));
    expect(error.message).toContain(`hint: ${missing} does not exist`);
    const file = join(temporary(), 'file');
    writeFileSync(file, '');
    const wrong = await rejection(mountsBelow('/', bind(file, temporary())));
    expect(wrong.message).toMatch(/^move_mount\(.*\) = EINVAL .*\nhint: one of the two is a directory/);
  });
});
