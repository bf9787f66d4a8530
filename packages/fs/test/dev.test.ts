import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { bindMount, dev, inRoot } from '@ctr/fs';

describe('dev', () => {
  it('is looked up once; all in it is relative to the new tmpfs', () => {
    const root = bindMount('/srv/root', { as: 'root' });
    const { steps } = dev(inRoot(root.mount, '/dev'), { nodes: 'make', mqueue: true });
    expect(explain([...root.steps, ...steps])).toMatchInlineSnapshot(`
      " 1  open_tree(AT_FDCWD, "/srv/root", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $root  # a mount of /srv/root
       2  openat2($root, "dev", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-dev (ENOENT, EAGAIN is fine), if != -2 go to 5  # find /dev
       3  mkdirat($root, "dev", 0755) (EEXIST is fine)  # make /dev
       4  openat2($root, "dev", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-dev (EAGAIN is fine)  # find what is now /dev
       5  add($at-dev, 0) (EAGAIN is fine), if != -11 go to 8  # was it found?
       6  add($attempts, 1), if < 2048 go to 2  # a rename or a mount came in between: try again
       7  fail(EAGAIN)  # find /dev
       8  label()  # /dev is there
       9  fsopen("tmpfs", FSOPEN_CLOEXEC) = $new-dev  # a tmpfs for /dev
      10  fsconfig($new-dev, FSCONFIG_SET_STRING, "source", "tmpfs", 0)  # set source
      11  fsconfig($new-dev, FSCONFIG_SET_STRING, "size", "67108864", 0)  # set size
      12  fsconfig($new-dev, FSCONFIG_SET_STRING, "nr_inodes", "16384", 0)  # set nr_inodes
      13  fsconfig($new-dev, FSCONFIG_SET_STRING, "mode", "755", 0)  # set mode
      14  fsconfig($new-dev, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      15  fsmount($new-dev, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID) = $dev  # a mount of it
      16  close($new-dev)  # it has its mount
      17  move_mount($dev, "", $at-dev, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /dev
      18  close($at-dev)  # /dev is found
      19  umask(000) = $umask  # devices get exactly the mode they should have
      20  mknodat($dev, "null", S_IFCHR|0666, makedev(1, 3))  # make the device null
      21  mknodat($dev, "zero", S_IFCHR|0666, makedev(1, 5))  # make the device zero
      22  mknodat($dev, "full", S_IFCHR|0666, makedev(1, 7))  # make the device full
      23  mknodat($dev, "random", S_IFCHR|0666, makedev(1, 8))  # make the device random
      24  mknodat($dev, "urandom", S_IFCHR|0666, makedev(1, 9))  # make the device urandom
      25  mknodat($dev, "tty", S_IFCHR|0666, makedev(5, 0))  # make the device tty
      26  umask($umask)  # the umask is as before
      27  symlinkat("/proc/self/fd", $dev, "fd")  # fd leads to /proc/self/fd
      28  symlinkat("/proc/self/fd/0", $dev, "stdin")  # stdin leads to /proc/self/fd/0
      29  symlinkat("/proc/self/fd/1", $dev, "stdout")  # stdout leads to /proc/self/fd/1
      30  symlinkat("/proc/self/fd/2", $dev, "stderr")  # stderr leads to /proc/self/fd/2
      31  symlinkat("pts/ptmx", $dev, "ptmx")  # ptmx leads to pts/ptmx
      32  mkdirat($dev, "pts", 0755)  # make the directory pts
      33  fsopen("devpts", FSOPEN_CLOEXEC) = $new-pts  # terminals
      34  fsconfig($new-pts, FSCONFIG_SET_STRING, "source", "devpts", 0)  # set source
      35  fsconfig($new-pts, FSCONFIG_SET_STRING, "ptmxmode", "666", 0)  # set ptmxmode
      36  fsconfig($new-pts, FSCONFIG_SET_STRING, "mode", "620", 0)  # set mode
      37  fsconfig($new-pts, FSCONFIG_SET_STRING, "gid", "5", 0)  # set gid
      38  fsconfig($new-pts, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      39  fsmount($new-pts, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC) = $pts  # a mount of it
      40  close($new-pts)  # it has its mount
      41  move_mount($pts, "", $dev, "pts", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to pts
      42  close($pts)  # it is attached
      43  mkdirat($dev, "shm", 0755)  # make the directory shm
      44  fsopen("tmpfs", FSOPEN_CLOEXEC) = $new-shm  # shared memory
      45  fsconfig($new-shm, FSCONFIG_SET_STRING, "source", "shm", 0)  # set source
      46  fsconfig($new-shm, FSCONFIG_SET_STRING, "size", "67108864", 0)  # set size
      47  fsconfig($new-shm, FSCONFIG_SET_STRING, "nr_inodes", "16384", 0)  # set nr_inodes
      48  fsconfig($new-shm, FSCONFIG_SET_STRING, "mode", "1777", 0)  # set mode
      49  fsconfig($new-shm, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      50  fsmount($new-shm, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC) = $shm  # a mount of it
      51  close($new-shm)  # it has its mount
      52  move_mount($shm, "", $dev, "shm", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to shm
      53  close($shm)  # it is attached
      54  mkdirat($dev, "mqueue", 0755)  # make the directory mqueue
      55  fsopen("mqueue", FSOPEN_CLOEXEC) = $new-mqueue  # a new mqueue
      56  fsconfig($new-mqueue, FSCONFIG_SET_STRING, "source", "mqueue", 0)  # set source
      57  fsconfig($new-mqueue, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      58  fsmount($new-mqueue, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC) = $mqueue  # a mount of it
      59  close($new-mqueue)  # it has its mount
      60  move_mount($mqueue, "", $dev, "mqueue", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to mqueue
      61  close($mqueue)  # it is attached"
    `);
  });

  it('has neither terminals nor shared memory if so asked', () => {
    const calls = dev('/dev', { nodes: 'make', pts: false, shm: false }).steps.filter(({ call }) => call === 'fsopen');
    expect(calls.length).toBe(1);
  });

  it('refuses options that do not exist', () => {
    expect(() => dev('/dev', { nodes: 'make', ptys: {} } as never)).toThrow(new TypeError('dev: there is no option "ptys": did you mean pts?'));
    expect(() => dev('/dev', { nodes: 'make', shm: { size: 1 } as object })).toThrow(new TypeError('shm: there is no option "size"; there are sizeBytes'));
    expect(() => dev('/dev', { nodes: 'make', pts: { gid: -2 } })).toThrow(RangeError);
  });
});
