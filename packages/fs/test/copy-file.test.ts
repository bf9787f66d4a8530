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
     6  openat(AT_FDCWD, "/etc/hosts", O_RDONLY|O_NONBLOCK|O_CLOEXEC) = $original (ENOENT is fine), if < 0 go to 13  # read /etc/hosts
     7  openat($etc, "hosts", O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0644) = $hosts  # make the file hosts
     8  sendfile($hosts, $original, NULL, 16777216)  # copy /etc/hosts
     9  sendfile($hosts, $original, NULL, 1), if == 0 go to 11  # was that all?
    10  fail(EFBIG)  # copy /etc/hosts
    11  close($hosts)  # hosts is done
    12  close($original)  # original is done
    13  label()  # hosts is copied, if /etc/hosts exists"
  `);
  expect(() => copyFile('/etc/hosts', mount, '../hosts')).toThrow(RangeError);
  expect(() => copyFile('/etc/hosts', mount, 'hosts', { maxBytes: 0 })).toThrow(RangeError);
  expect(() => copyFile('/etc/hosts', mount, 'hosts', { maxByte: 1 } as object)).toThrow(TypeError);
});
