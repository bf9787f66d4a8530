import { explain, Fd } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { pin, unpin, type Namespace } from '@ctr/namespaces';

describe('pin and unpin', () => {
  it('mount the namespace of a process, and unmount it', () => {
    expect(explain([...pin(4711, 'mount', '/run/ctr/blue'), ...unpin('/run/ctr/blue')])).toMatchInlineSnapshot(`
      "1  openat(AT_FDCWD, "/proc/4711/ns/mnt", O_RDONLY|O_CLOEXEC) = $namespace  # the mount namespace to keep
      2  open_tree($namespace, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $tree  # a mount of it
      3  openat(AT_FDCWD, "/run/ctr/blue", O_RDONLY|O_CREAT|O_EXCL|O_CLOEXEC, 000) = $pin  # the file it is pinned to
      4  move_mount($tree, "", $pin, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # pin the mount namespace
      5  close($namespace)  # it is in place
      6  close($tree)  # it is in place
      7  close($pin)  # it is in place
      8  umount2("/run/ctr/blue", MNT_DETACH|UMOUNT_NOFOLLOW)  # unpin the namespace
      9  unlinkat(AT_FDCWD, "/run/ctr/blue", 0)  # remove the file it was pinned to"
    `);
  });

  it('take a file that is open already', () => {
    expect(explain(pin(new Fd(1_000_000), 'net', '/run/netns/blue'))).toMatchInlineSnapshot(`
      "1  open_tree(1000000, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $tree  # a mount of it
      2  openat(AT_FDCWD, "/run/netns/blue", O_RDONLY|O_CREAT|O_EXCL|O_CLOEXEC, 000) = $pin  # the file it is pinned to
      3  move_mount($tree, "", $pin, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # pin the net namespace
      4  close($tree)  # it is in place
      5  close($pin)  # it is in place"
    `);
    expect(pin('self', 'net', '/x')[0]?.args[1]).toBe('/proc/self/ns/net');
  });

  it('refuse what is no pid and no kind', () => {
    expect(() => pin(0, 'net', '/x')).toThrow('0 is not the pid of a process');
    expect(() => pin('self', 'mnt' as Namespace, '/x')).toThrow('ctr calls it mount');
  });
});
