import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { launch, openFd, type Fd } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { copyFile, type CopyFileOptions } from '@ctr/fs';

import { rejection, temporary } from './launched.js';

async function copied(from: string, to: string, options?: CopyFileOptions): Promise<void> {
  using parent: Fd = openFd(to);
  const child = await launch(copyFile(from, parent, 'copy', options));
  expect(await child.exited).toMatchObject({ code: 0 });
}

describe('copyFile', () => {
  it('copies all of a file, behind a link too', async () => {
    const [from, to] = [temporary(), temporary()];
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => i % 251));
    writeFileSync(join(from, 'file'), bytes);
    symlinkSync('file', join(from, 'link'));
    await copied(join(from, 'link'), to, { mode: 0o600, maxBytes: bytes.length });
    expect(readFileSync(join(to, 'copy')).equals(bytes)).toBe(true);
    expect(statSync(join(to, 'copy')).mode & 0o777).toBe(0o600);
  });

  it.each([0o600, 0o640, 0o644, 0o755, 0o4711])('gives the copy the permissions of the original, and no set-user-id bit: %i', async (mode) => {
    const [from, to] = [temporary(), temporary()];
    writeFileSync(join(from, 'file'), 'content');
    chmodSync(join(from, 'file'), mode);
    const umask = process.umask(0);
    try {
      await copied(join(from, 'file'), to);
    } finally {
      process.umask(umask);
    }
    expect(statSync(join(to, 'copy')).mode & 0o7777).toBe(mode & 0o777);
  });

  it('copies an empty file, and none that is missing', async () => {
    const [from, to] = [temporary(), temporary()];
    await copied(join(from, 'missing'), to);
    expect(readdirSync(to)).toEqual([]);
    writeFileSync(join(from, 'empty'), '');
    await copied(join(from, 'empty'), to);
    expect(readFileSync(join(to, 'copy'), 'utf8')).toBe('');
  });

  it('says that a file is too large, and does not wait for a fifo', async () => {
    const from = temporary();
    writeFileSync(join(from, 'large'), 'four');
    mkdirSync(join(from, 'directory'));
    execFileSync('mkfifo', [join(from, 'fifo')]);
    expect((await rejection(copied(join(from, 'large'), temporary(), { maxBytes: 3 }))).message).toMatch(/EFBIG.*\nhint: .*large has more than 3 bytes/);
    expect((await rejection(copied(join(from, 'directory'), temporary()))).message).toMatch(/^sendfile\(.* = (EISDIR|EINVAL) /);
    expect((await rejection(copied(join(from, 'fifo'), temporary()))).message).toMatch(/^sendfile\(.* = EINVAL /);
  });

  it('never writes to what is there, nor through a link', async () => {
    const [to, outside] = [temporary(), join(temporary(), 'outside')];
    symlinkSync(outside, join(to, 'copy'));
    expect((await rejection(copied('/etc/passwd', to))).message).toMatch(/^openat\(.* = EEXIST /);
    expect(() => readFileSync(outside)).toThrow('ENOENT');
  });
});
