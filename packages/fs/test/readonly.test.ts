import { explain } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { bindMount, procMount, readonlyPath } from '@ctr/fs';

it('readonlyPath binds what is there onto itself', () => {
  const root = bindMount('/srv/root', { as: 'root' });
  expect(explain([...root.steps, ...readonlyPath(root.mount, ['/proc/sys', '/proc/irq'], { plain: ['/proc/irq'] })])).toMatchInlineSnapshot(`
    " 1  open_tree(AT_FDCWD, "/srv/root", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $root  # a mount of /srv/root
     2  openat2($root, "proc/sys", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-sys (ENOENT, ENOTDIR, EAGAIN is fine), if != -11 go to 5  # find /proc/sys, if it is there
     3  add($attempts, 1), if < 2048 go to 2  # a rename or a mount came in between: try again
     4  fail(EAGAIN)  # find /proc/sys
     5  add($at-sys, 0) (ENOENT, ENOTDIR is fine), if < 0 go to 11  # is it there?
     6  open_tree($at-sys, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH|AT_RECURSIVE) = $at-sys  # a mount of /proc/sys
     7  mount_setattr($at-sys, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY, attr_clr=0}, 32)  # make it readonly
     8  move_mount($at-sys, "", $at-sys, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it over /proc/sys
     9  close($at-sys)  # it is attached
    10  close($at-sys)  # /proc/sys is covered by it
    11  label()  # /proc/sys is read-only, if it exists
    12  openat2($root, "proc/irq", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-irq (ENOENT, ENOTDIR, EAGAIN is fine), if != -11 go to 15  # find /proc/irq, if it is there
    13  add($attempts, 1), if < 2048 go to 12  # a rename or a mount came in between: try again
    14  fail(EAGAIN)  # find /proc/irq
    15  add($at-irq, 0) (ENOENT, ENOTDIR is fine), if < 0 go to 21  # is it there?
    16  open_tree($at-irq, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH|AT_RECURSIVE) = $at-irq  # a mount of /proc/irq
    17  mount_setattr($at-irq, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY, attr_clr=0}, 32)  # make it readonly
    18  move_mount($at-irq, "", $at-irq, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it over /proc/irq
    19  close($at-irq)  # it is attached
    20  close($at-irq)  # /proc/irq is covered by it
    21  label()  # /proc/irq is read-only, if it exists"
  `);
  expect(() => readonlyPath(root.mount, ['../etc'])).toThrow(RangeError);
});

it('readonlyPath looks for what is in a known mount from there', () => {
  const root = bindMount('/srv/root', { as: 'root' });
  const proc = procMount();
  const text = explain([...root.steps, ...proc.steps, ...readonlyPath(root.mount, ['/proc/sys', '/etc'], { mounts: { '/proc': proc.mount } })]);
  expect(text.match(/openat2\(\S+ "[^"]*"/g)).toEqual(['openat2($proc, "sys"', 'openat2($root, "etc"']);
  expect(() => readonlyPath(root.mount, [], { mount: {} } as object)).toThrow(TypeError);
});
