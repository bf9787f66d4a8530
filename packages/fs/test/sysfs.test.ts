import { explain } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { bindMount, inRoot, sysfs } from '@ctr/fs';

it('sysfs is read-only, and follows no link on its way below a root', () => {
  const root = bindMount('/srv/root', { as: 'root' });
  expect(explain([...root.steps, ...sysfs(inRoot(root.mount, '/sys', { create: false }))])).toMatchInlineSnapshot(`
    " 1  open_tree(AT_FDCWD, "/srv/root", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $root  # a mount of /srv/root
     2  openat2($root, "sys", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_IN_ROOT}, 24) = $at-sys (EAGAIN is fine)  # find /sys
     3  add($at-sys, 0) (EAGAIN is fine), if != -11 go to 6  # was it found?
     4  add($attempts, 1), if < 2048 go to 2  # a rename or a mount came in between: try again
     5  fail(EAGAIN)  # find /sys
     6  label()  # /sys is there
     7  fsopen("sysfs", FSOPEN_CLOEXEC) = $new-sys  # a sysfs for /sys
     8  fsconfig($new-sys, FSCONFIG_SET_STRING, "source", "sysfs", 0)  # set source
     9  fsconfig($new-sys, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
    10  fsmount($new-sys, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC) = $sys  # a mount of it
    11  close($new-sys)  # it has its mount
    12  move_mount($sys, "", $at-sys, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /sys
    13  close($sys)  # it is attached
    14  close($at-sys)  # /sys is found"
  `);
});
