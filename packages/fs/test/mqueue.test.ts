import { explain } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { mqueue } from '@ctr/fs';

it('mqueue is a mount like any other', () => {
  expect(explain(mqueue('/dev/mqueue'))).toMatchInlineSnapshot(`
    "1  openat(AT_FDCWD, "/dev/mqueue", O_DIRECTORY|O_CLOEXEC|O_PATH) = $at-mqueue  # find /dev/mqueue
    2  fsopen("mqueue", FSOPEN_CLOEXEC) = $new-mqueue  # message queues for /dev/mqueue
    3  fsconfig($new-mqueue, FSCONFIG_SET_STRING, "source", "mqueue", 0)  # set source
    4  fsconfig($new-mqueue, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
    5  fsmount($new-mqueue, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC) = $mqueue  # a mount of it
    6  close($new-mqueue)  # it has its mount
    7  move_mount($mqueue, "", $at-mqueue, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /dev/mqueue
    8  close($mqueue)  # it is attached
    9  close($at-mqueue)  # /dev/mqueue is found"
  `);
});
