import { explain } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { copyFile, tmpfsMount } from '@ctr/fs';

it('copyFile copies in one call, and does without an original', () => {
  const { steps, mount } = tmpfsMount({ as: 'etc' });
  expect(explain([...steps, ...copyFile('/etc/hosts', mount, 'hosts')])).toMatchInlineSnapshot(`
    " 1  fsopen("tmpfs", FSOPEN_CLOEXEC) = $new-etc  # a new tmpfs
     2  fsconfig($new-etc, FSCONFIG_SET_STRING, "source", "tmpfs", 0)  # set source
     3  fsconfig($new-etc, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
     4  fsmount($new-etc, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV) = $etc  # a mount of it
     5  close($new-etc)  # it has its mount
     6  openat(AT_FDCWD, "/etc/hosts", O_RDONLY|O_NONBLOCK|O_CLOEXEC) = $original (ENOENT is fine), if < 0 go to 15  # read /etc/hosts
     7  statx($original, "", 4096, 2, &stat)  # who may use /etc/hosts?
     8  add($stat+28, 256) = $mode  # the same for the copy
     9  openat($etc, "hosts", O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, $mode) = $hosts  # make the file hosts
    10  sendfile($hosts, $original, NULL, 16777216)  # copy /etc/hosts
    11  sendfile($hosts, $original, NULL, 1), if == 0 go to 13  # was that all?
    12  fail(EFBIG)  # copy /etc/hosts
    13  close($hosts)  # hosts is done
    14  close($original)  # original is done
    15  label()  # hosts is copied, if /etc/hosts exists"
  `);
  expect(() => copyFile('/etc/hosts', mount, '../hosts')).toThrow(RangeError);
  expect(() => copyFile('/etc/hosts', mount, 'hosts', { maxBytes: 0 })).toThrow(RangeError);
  expect(() => copyFile('/etc/hosts', mount, 'hosts', { maxByte: 1 } as object)).toThrow(TypeError);
});
