import { explain, Memory, openFd } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { openPlace, tmpfs } from '@ctr/fs';

it('openPlace opens a path that the caller vouches for', () => {
  expect(explain([...openPlace('/mnt').steps, ...openPlace('/etc/hosts', { directory: false }).steps])).toMatchInlineSnapshot(`
    "1  openat(AT_FDCWD, "/mnt", O_DIRECTORY|O_CLOEXEC|O_PATH) = $at-mnt  # find /mnt
    2  openat(AT_FDCWD, "/etc/hosts", O_CLOEXEC|O_PATH) = $at-hosts  # find /etc/hosts"
  `);
  expect(() => openPlace('')).toThrow(new TypeError('the path is empty'));
  expect(() => openPlace('/a\0')).toThrow(RangeError);
});

it('a place can be an open file, or a number in memory', () => {
  using mnt = openFd('/');
  expect(openPlace(mnt)).toEqual({ steps: [], fd: mnt });
  const received = new Memory(4, 'received');
  expect(explain(tmpfs(received.i32())).split('\n').at(-1)).toMatchInlineSnapshot(`"7  close($mount)  # it is attached"`);
});
