import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isSyscallError, launch, openFd, perform } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { directory, openPlace, symlink, tmpfs, writeFile } from '@ctr/fs';

import { printed, rejection, temporary } from './launched.js';

describe('writeFile', () => {
  it('makes a file with a content', () => {
    const parent = temporary();
    using fd = openFd(parent);
    perform([
      directory(fd, 'etc'),
      directory(fd, 'etc/ssl', 0o700),
      symlink('file', fd, 'link'),
      ...writeFile('content', fd, 'file', { mode: 0o600 }),
      ...writeFile(Uint8Array.of(0, 255), fd, 'bytes'),
    ]);
    expect(readFileSync(join(parent, 'link'), 'utf8')).toBe('content');
    expect([...readFileSync(join(parent, 'bytes'))]).toEqual([0, 255]);
  });

  it('never writes to what is there, nor through a link', async () => {
    const parent = temporary();
    const outside = join(temporary(), 'outside');
    mkdirSync(join(parent, 'directory'));
    writeFileSync(join(parent, 'file'), 'as it was');
    symlinkSync(outside, join(parent, 'link'));
    symlinkSync('/dev/null', join(parent, 'null'));
    using fd = openFd(parent);
    for (const name of ['directory', 'file', 'link', 'null']) {
      const error = await rejection(launch(writeFile('x', fd, name)));
      expect(isSyscallError(error) && error.code).toBe('EEXIST');
    }
    expect(readFileSync(join(parent, 'file'), 'utf8')).toBe('as it was');
    expect(() => readFileSync(outside)).toThrow('ENOENT');
  });

  it('says that there is no room for all of it', async () => {
    const at = temporary();
    const place = openPlace(at);
    const error = await rejection(printed([...tmpfs(at, { sizeBytes: 4096 }), ...place.steps, ...writeFile('x'.repeat(5000), place.fd, 'file')], ''));
    expect(isSyscallError(error) && error.code).toBe('ENOSPC');
  });
});
