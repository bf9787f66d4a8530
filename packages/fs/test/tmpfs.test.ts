import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { bindMount, inRoot, tmpfs } from '@ctr/fs';

describe('tmpfs', () => {
  it('is made before it is attached, with each option on its own', () => {
    expect(explain(tmpfs('/mnt', { sizeBytes: 2 ** 20, inodes: 100, mode: 0o700, uid: 1, gid: 2, noExec: true }))).toMatchInlineSnapshot(`
      " 1  openat(AT_FDCWD, "/mnt", O_DIRECTORY|O_CLOEXEC|O_PATH) = $at-mnt  # find /mnt
       2  fsopen("tmpfs", FSOPEN_CLOEXEC) = $new-mnt  # a tmpfs for /mnt
       3  fsconfig($new-mnt, FSCONFIG_SET_STRING, "source", "tmpfs", 0)  # set source
       4  fsconfig($new-mnt, FSCONFIG_SET_STRING, "size", "1048576", 0)  # set size
       5  fsconfig($new-mnt, FSCONFIG_SET_STRING, "nr_inodes", "100", 0)  # set nr_inodes
       6  fsconfig($new-mnt, FSCONFIG_SET_STRING, "mode", "700", 0)  # set mode
       7  fsconfig($new-mnt, FSCONFIG_SET_STRING, "uid", "1", 0)  # set uid
       8  fsconfig($new-mnt, FSCONFIG_SET_STRING, "gid", "2", 0)  # set gid
       9  fsconfig($new-mnt, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      10  fsmount($new-mnt, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC) = $mnt  # a mount of it
      11  close($new-mnt)  # it has its mount
      12  move_mount($mnt, "", $at-mnt, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /mnt
      13  close($mnt)  # it is attached
      14  close($at-mnt)  # /mnt is found"
    `);
  });

  it('is attached to a place below a root, which is made if it is missing', () => {
    const root = bindMount('/srv/root', { as: 'root' });
    expect(explain([...root.steps, ...tmpfs(inRoot(root.mount, '/run/app'))])).toMatchInlineSnapshot(`
      " 1  open_tree(AT_FDCWD, "/srv/root", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $root  # a mount of /srv/root
       2  openat2($root, "run/app", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-app (ENOENT, EAGAIN is fine), if != -2 go to 8  # find /run/app
       3  mkdirat($root, "run", 0755) (EEXIST is fine)  # make /run
       4  openat2($root, "run", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $run (EAGAIN is fine), if == -11 go to 9  # go down to /run
       5  mkdirat($run, "app", 0755) (EEXIST is fine)  # make /run/app
       6  close($run)  # it is not needed any more
       7  openat2($root, "run/app", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-app (EAGAIN is fine)  # find what is now /run/app
       8  add($at-app, 0) (EAGAIN is fine), if != -11 go to 11  # was it found?
       9  add($attempts, 1), if < 2048 go to 2  # a rename or a mount came in between: try again
      10  fail(EAGAIN)  # find /run/app
      11  label()  # /run/app is there
      12  fsopen("tmpfs", FSOPEN_CLOEXEC) = $new-app  # a tmpfs for /run/app
      13  fsconfig($new-app, FSCONFIG_SET_STRING, "source", "tmpfs", 0)  # set source
      14  fsconfig($new-app, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      15  fsmount($new-app, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV) = $app  # a mount of it
      16  close($new-app)  # it has its mount
      17  move_mount($app, "", $at-app, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /run/app
      18  close($app)  # it is attached
      19  close($at-app)  # /run/app is found"
    `);
  });

  it('refuses a size of nothing, which would mean no limit to the kernel', () => {
    expect(() => tmpfs('/mnt', { sizeBytes: 0 })).toThrow(new RangeError('sizeBytes is 0: it has to be an integer from 1 to 9007199254740991'));
    expect(() => tmpfs('/mnt', { inodes: 0.5 })).toThrow(RangeError);
    expect(() => tmpfs('/mnt', { mode: 0o10000 })).toThrow(RangeError);
  });

  it('refuses an option that does not exist', () => {
    expect(() => tmpfs('/mnt', { readOnly: true } as object)).toThrow(new TypeError('tmpfs: there is no option "readOnly": did you mean readonly?'));
  });
});
