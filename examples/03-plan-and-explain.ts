// A plan is data: it can be printed as strace would print it, counted and checked, and nothing has happened yet.
import { bind, pivotRoot, propagation } from '@ctr/fs';
import { plan } from '@ctr/runtime';
import { explain } from '@ctr/syscall';

console.log(explain([...propagation('/', 'private', { recursive: true }), ...bind('/srv/rootfs', '/mnt', { readonly: true }), ...pivotRoot('/mnt')]));

const calls = plan(['true'], { hostname: 'box' }).map(({ call }) => call);
console.log(`a whole container uses move_mount(2): ${calls.includes('move_mount')}, mount(2): ${calls.includes('mount')}`);
// prints:
//  1  mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, {propagation=MS_PRIVATE}, 32)  # make / and all below private
//  2  openat(AT_FDCWD, "/mnt", O_DIRECTORY|O_CLOEXEC|O_PATH) = $at-mnt  # find /mnt
//  3  open_tree(AT_FDCWD, "/srv/rootfs", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $mnt  # a mount of /srv/rootfs
//  4  mount_setattr($mnt, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY, attr_clr=0}, 32)  # make it readonly
//  5  move_mount($mnt, "", $at-mnt, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /mnt
//  6  close($mnt)  # it is attached
//  7  close($at-mnt)  # /mnt is found
//  8  chdir("/mnt")  # go to the new root /mnt
//  9  pivot_root(".", ".")  # make it the root; the old one is on top of it now
// 10  umount2(".", MNT_DETACH)  # drop the old root
// 11  chdir("/")  # start at the new root
// a whole container uses move_mount(2): true, mount(2): false
