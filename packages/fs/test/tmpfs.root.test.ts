import { isSyscallError } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { tmpfs } from '@ctr/fs';

import { mountsBelow, printed, rejection, temporary } from './launched.js';

describe('tmpfs', () => {
  it('has the size, the mode and the owner that it was given', async () => {
    const at = temporary();
    const output = await printed(
      tmpfs(at, { sizeBytes: 64 * 1024, mode: 0o750, uid: 3, gid: 4, source: 'some, source' }),
      `busybox df -k ${at} | busybox tail -1; busybox stat -c '%a %u %g' ${at}; busybox dd if=/dev/zero of=${at}/big bs=1k count=100 2>&1 | busybox grep -o 'No space.*'`,
    );
    expect(output).toBe(`some, source                64         0        64   0% ${at}\n750 3 4\nNo space left on device`);
  });

  it('lets neither set-user-id bits nor devices in unless told to', async () => {
    const at = temporary();
    const [byDefault] = await mountsBelow(at, tmpfs(at));
    expect(byDefault?.options).toEqual(['rw', 'nosuid', 'nodev', 'relatime']);
    const [loose] = await mountsBelow(at, tmpfs(at, { noSuid: false, noDev: false, readonly: true, atime: 'noatime', noSymfollow: true }));
    expect(loose?.options).toEqual(['ro', 'noatime', 'nosymfollow']);
  });

  it('counts its files', async () => {
    const at = temporary();
    const output = await printed(tmpfs(at, { inodes: 3 }), `cd ${at}; busybox touch a b c 2>&1`);
    expect(output).toBe('touch: c: No space left on device');
  });

  it('says what is wrong with an option that the kernel refuses, and leaves nothing', async () => {
    const at = temporary();
    const error = await rejection(mountsBelow(at, tmpfs(at, { uid: 0xfffffffe, noExec: true }).concat(tmpfs(`${at}/missing`))));
    expect(isSyscallError(error) && error.code).toBe('ENOENT');
    expect(error.message).toContain(`find ${at}/missing`);
  });
});
