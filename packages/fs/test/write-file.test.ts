import { explain } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { directory, symlink, tmpfsMount, writeFile } from '@ctr/fs';

const { steps, mount } = tmpfsMount({ as: 'etc' });

it('writeFile makes the file, and writes all of it', () => {
  expect(explain([...steps, ...writeFile('box\n', mount, 'hostname', { mode: 0o600 })])).toMatchInlineSnapshot(`
    " 1  fsopen("tmpfs", FSOPEN_CLOEXEC) = $new-etc  # a new tmpfs
     2  fsconfig($new-etc, FSCONFIG_SET_STRING, "source", "tmpfs", 0)  # set source
     3  fsconfig($new-etc, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
     4  fsmount($new-etc, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV) = $etc  # a mount of it
     5  close($new-etc)  # it has its mount
     6  openat($etc, "hostname", O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600) = $hostname  # make the file hostname
     7  write($hostname, "box\\n", 4), if == 4 go to 9  # write hostname
     8  fail(ENOSPC)  # write all of hostname
     9  label()  # hostname is written
    10  close($hostname)  # hostname is done"
  `);
  expect(() => writeFile('', mount, 'a/b')).toThrow(new RangeError('a new file: "a/b" is not the name of one file in a directory'));
  expect(() => writeFile('', mount, 'a', { mode: -1 })).toThrow(RangeError);
});

it('directory and symlink are one step each', () => {
  expect(explain([...steps, directory(mount, 'ssl/certs'), symlink('../proc/self/mounts', mount, 'mtab')])).toMatchInlineSnapshot(`
    "1  fsopen("tmpfs", FSOPEN_CLOEXEC) = $new-etc  # a new tmpfs
    2  fsconfig($new-etc, FSCONFIG_SET_STRING, "source", "tmpfs", 0)  # set source
    3  fsconfig($new-etc, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
    4  fsmount($new-etc, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV) = $etc  # a mount of it
    5  close($new-etc)  # it has its mount
    6  mkdirat($etc, "ssl/certs", 0755)  # make the directory ssl/certs
    7  symlinkat("../proc/self/mounts", $etc, "mtab")  # mtab leads to ../proc/self/mounts"
  `);
  for (const path of ['', '/abs', 'a/../b', '..', 'a\0']) expect(() => directory(mount, path)).toThrow(/^the path /);
  expect(() => symlink('', mount, 'x')).toThrow(TypeError);
  expect(() => symlink('x', mount, 'a/b')).toThrow(RangeError);
});
