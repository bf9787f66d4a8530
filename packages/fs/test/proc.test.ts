import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { bindMount, inRoot, proc, procMount } from '@ctr/fs';

describe('proc', () => {
  it('is fresh, and follows no link on its way below a root', () => {
    const root = bindMount('/srv/root', { as: 'root' });
    expect(explain([...root.steps, ...proc(inRoot(root.mount, '/proc'), { hidePid: 'invisible' })])).toMatchInlineSnapshot(`
      " 1  open_tree(AT_FDCWD, "/srv/root", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $root  # a mount of /srv/root
       2  openat2($root, "proc", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_IN_ROOT}, 24) = $at-proc (ENOENT, EAGAIN is fine), if != -2 go to 5  # find /proc
       3  mkdirat($root, "proc", 0755) (EEXIST is fine)  # make /proc
       4  openat2($root, "proc", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_IN_ROOT}, 24) = $at-proc (EAGAIN is fine)  # find what is now /proc
       5  add($at-proc, 0) (EAGAIN is fine), if != -11 go to 8  # was it found?
       6  add($attempts, 1), if < 2048 go to 2  # a rename or a mount came in between: try again
       7  fail(EAGAIN)  # find /proc
       8  label()  # /proc is there
       9  fsopen("proc", FSOPEN_CLOEXEC) = $new-proc  # a fresh proc for /proc
      10  fsconfig($new-proc, FSCONFIG_SET_STRING, "source", "proc", 0)  # set source
      11  fsconfig($new-proc, FSCONFIG_SET_STRING, "hidepid", "invisible", 0)  # set hidepid
      12  fsconfig($new-proc, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      13  fsmount($new-proc, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC) = $proc  # a mount of it
      14  close($new-proc)  # it has its mount
      15  move_mount($proc, "", $at-proc, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /proc
      16  close($proc)  # it is attached
      17  close($at-proc)  # /proc is found"
    `);
  });

  it('can be attached to nothing', () => {
    expect(explain(procMount({ subset: 'pid', readonly: true }).steps)).toMatchInlineSnapshot(`
      "1  fsopen("proc", FSOPEN_CLOEXEC) = $new-proc  # a new proc
      2  fsconfig($new-proc, FSCONFIG_SET_STRING, "source", "proc", 0)  # set source
      3  fsconfig($new-proc, FSCONFIG_SET_STRING, "subset", "pid", 0)  # set subset
      4  fsconfig($new-proc, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      5  fsmount($new-proc, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC) = $proc  # a mount of it
      6  close($new-proc)  # it has its mount"
    `);
  });

  it('refuses what the kernel does not know', () => {
    expect(() => proc('/proc', { hidePid: '2' as 'off' })).toThrow(new RangeError('hidePid is "2": it has to be one of off, noaccess, invisible, ptraceable'));
    expect(() => proc('/proc', { subset: 'net' as 'pid' })).toThrow(RangeError);
    expect(() => proc('/proc', { hidepid: 'off' } as object)).toThrow(new TypeError('proc: there is no option "hidepid": did you mean hidePid?'));
  });
});
