import { explain } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { attach, bind, bindMount, openPlace, pivotRoot, propagation } from '@ctr/fs';

it('pivotRoot needs no directory for the old root', () => {
  const plan = [...propagation('/', 'private', { recursive: true }), ...bind('/srv/rootfs', '/srv/rootfs'), ...pivotRoot('/srv/rootfs')];
  expect(explain(plan)).toMatchInlineSnapshot(`
    " 1  mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, {propagation=MS_PRIVATE}, 32)  # make / and all below private
     2  openat(AT_FDCWD, "/srv/rootfs", O_DIRECTORY|O_CLOEXEC|O_PATH) = $at-rootfs  # find /srv/rootfs
     3  open_tree(AT_FDCWD, "/srv/rootfs", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $rootfs  # a mount of /srv/rootfs
     4  move_mount($rootfs, "", $at-rootfs, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /srv/rootfs
     5  close($rootfs)  # it is attached
     6  close($at-rootfs)  # /srv/rootfs is found
     7  chdir("/srv/rootfs")  # go to the new root /srv/rootfs
     8  pivot_root(".", ".")  # make it the root; the old one is on top of it now
     9  umount2(".", MNT_DETACH)  # drop the old root
    10  chdir("/")  # start at the new root"
  `);
});

it('pivotRoot takes a mount', () => {
  const { steps, mount } = bindMount('/srv/rootfs');
  const top = openPlace('/');
  expect(explain([...steps, ...top.steps, ...attach(mount, top.fd), ...pivotRoot(mount)])).toMatchInlineSnapshot(`
    "1  open_tree(AT_FDCWD, "/srv/rootfs", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $rootfs  # a mount of /srv/rootfs
    2  openat(AT_FDCWD, "/", O_DIRECTORY|O_CLOEXEC|O_PATH) = $at-root  # find /
    3  move_mount($rootfs, "", $at-root, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it
    4  fchdir($rootfs)  # go to the new root $rootfs
    5  pivot_root(".", ".")  # make it the root; the old one is on top of it now
    6  umount2(".", MNT_DETACH)  # drop the old root
    7  chdir("/")  # start at the new root"
  `);
  expect(() => pivotRoot('')).toThrow(new TypeError('the path is empty'));
});
