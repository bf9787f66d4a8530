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
       6  add($attempts, 1), if < 128 go to 2  # a rename or a mount came in between: try again
       7  fail(EAGAIN)  # find /dev
       8  label()  # /dev is there
       9  fsopen("tmpfs", FSOPEN_CLOEXEC) = $new-dev  # a tmpfs for /dev
      10  fsconfig($new-dev, FSCONFIG_SET_STRING, "source", "tmpfs", 0)  # set source
      11  fsconfig($new-dev, FSCONFIG_SET_STRING, "size", "67108864", 0)  # set size
      12  fsconfig($new-dev, FSCONFIG_SET_STRING, "mode", "755", 0)  # set mode
      13  fsconfig($new-dev, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      14  fsmount($new-dev, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID) = $dev  # a mount of it
      15  move_mount($dev, "", $at-dev, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /dev
      16  umask(000) = $umask  # devices get exactly the mode they should have
      17  mknodat($dev, "null", S_IFCHR|0666, makedev(1, 3))  # make the device null
      18  mknodat($dev, "zero", S_IFCHR|0666, makedev(1, 5))  # make the device zero
      19  mknodat($dev, "full", S_IFCHR|0666, makedev(1, 7))  # make the device full
      20  mknodat($dev, "random", S_IFCHR|0666, makedev(1, 8))  # make the device random
      21  mknodat($dev, "urandom", S_IFCHR|0666, makedev(1, 9))  # make the device urandom
      22  mknodat($dev, "tty", S_IFCHR|0666, makedev(5, 0))  # make the device tty
      23  umask($umask)  # the umask is as before
      24  symlinkat("/proc/self/fd", $dev, "fd")  # fd leads to /proc/self/fd
      25  symlinkat("/proc/self/fd/0", $dev, "stdin")  # stdin leads to /proc/self/fd/0
      26  symlinkat("/proc/self/fd/1", $dev, "stdout")  # stdout leads to /proc/self/fd/1
      27  symlinkat("/proc/self/fd/2", $dev, "stderr")  # stderr leads to /proc/self/fd/2
      28  symlinkat("pts/ptmx", $dev, "ptmx")  # ptmx leads to pts/ptmx
      29  mkdirat($dev, "pts", 0755)  # make the directory pts
      30  fsopen("devpts", FSOPEN_CLOEXEC) = $new-pts  # terminals
      31  fsconfig($new-pts, FSCONFIG_SET_STRING, "source", "devpts", 0)  # set source
      32  fsconfig($new-pts, FSCONFIG_SET_STRING, "ptmxmode", "666", 0)  # set ptmxmode
      33  fsconfig($new-pts, FSCONFIG_SET_STRING, "mode", "620", 0)  # set mode
      34  fsconfig($new-pts, FSCONFIG_SET_STRING, "gid", "5", 0)  # set gid
      35  fsconfig($new-pts, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      36  fsmount($new-pts, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC) = $pts  # a mount of it
      37  move_mount($pts, "", $dev, "pts", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to pts
      38  mkdirat($dev, "shm", 0755)  # make the directory shm
      39  fsopen("tmpfs", FSOPEN_CLOEXEC) = $new-shm  # shared memory
      40  fsconfig($new-shm, FSCONFIG_SET_STRING, "source", "shm", 0)  # set source
      41  fsconfig($new-shm, FSCONFIG_SET_STRING, "size", "67108864", 0)  # set size
      42  fsconfig($new-shm, FSCONFIG_SET_STRING, "mode", "1777", 0)  # set mode
      43  fsconfig($new-shm, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      44  fsmount($new-shm, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC) = $shm  # a mount of it
      45  move_mount($shm, "", $dev, "shm", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to shm
      46  mkdirat($dev, "mqueue", 0755)  # make the directory mqueue
      47  fsopen("mqueue", FSOPEN_CLOEXEC) = $new-mqueue  # a new mqueue
      48  fsconfig($new-mqueue, FSCONFIG_SET_STRING, "source", "mqueue", 0)  # set source
      49  fsconfig($new-mqueue, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      50  fsmount($new-mqueue, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC) = $mqueue  # a mount of it
      51  move_mount($mqueue, "", $dev, "mqueue", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to mqueue"
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
