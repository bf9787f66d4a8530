import { describe, expect, it } from 'vitest';

import { plan, posture, type ContainerOptions } from '@ctr/runtime';
import { compile, explain } from '@ctr/syscall';

import { changes } from './plan-text.js';

// The same for root and for an ordinary user, and on every host.
const base: ContainerOptions = {
  rootfs: '/usr',
  cgroup: false,
  namespaces: { user: 'host', net: 'host', ipc: 'host', cgroup: 'host' },
  env: { PATH: '/bin', HOME: '/', HOSTNAME: 'box', TERM: 'xterm' },
};
const command = ['/bin/sh', '-c', 'ps'] as const;

/** What other options change in the plan. */
function changed(options: ContainerOptions): string {
  const { namespaces, ...rest } = options;
  return `\n${changes(plan([...command], base), plan([...command], { ...base, ...rest, namespaces: { ...base.namespaces, ...namespaces } }))}\n`;
}

describe('the plan of a container', () => {
  it('of new UTS, PID and mount namespaces and a root of its own, in order', () => {
    expect(`\n${explain(plan(['hostname'], { ...base, hostname: 'box' }))}\n`).toMatchInlineSnapshot(`
      "
        1  clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to 4  # go on in a new process, in new namespaces
        2  write(3, "\\1\\0\\0\\0\\0\\0\\0\\0", 8) (any error is fine)  # tell the host its pid
        3  exit_group(0)  # the first process has done its part
        4  label()  # the new process
        5  prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)  # die with the host
        6  ppoll({fd=3, events=0x0}, 1, {}, NULL, 8), if == 0 go to 8  # is the host still there?
        7  exit_group(137)  # the host is gone
        8  label()  # the host is alive
        9  pipe2(&answer, O_CLOEXEC)  # by what the keeper answers
       10  add($answer+4, 0)  # its end of the pipe
       11  pidfd_open(1, 0)  # by what the keeper knows this process
       12  sendmsg(4, {msg_iov={iov_base="\\30\\0", iov_len=2}, msg_iovlen=1, msg_control="\\30\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", msg_controllen=24}, MSG_NOSIGNAL)  # the keeper kills this process when the host ends
       13  close($answer+4)  # the keeper alone can answer
       14  sched_setaffinity(0, 1024, "\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377"...) (any error is fine)  # run on all processors of the cpuset
       15  umask(000)  # modes are as they are given
       16  sethostname("box", 3)  # the host name
       17  mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, {propagation=MS_PRIVATE}, 32)  # make / and all below private
       18  openat(AT_FDCWD, "/usr", O_DIRECTORY|O_CLOEXEC|O_PATH) = $directory  # the directory of the root file system
       19  open_tree($directory, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH|AT_RECURSIVE) = $root  # a mount of it
       20  mount_setattr($root, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_NODEV, attr_clr=0}, 32)  # make it noDev
       21  move_mount($root, "", $directory, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it
       22  openat2($root, "sys", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_IN_ROOT}, 24) = $at-sys (ENOENT, EAGAIN is fine), if != -2 go to 25  # find /sys
       23  mkdirat($root, "sys", 0755) (EEXIST is fine)  # make /sys
       24  openat2($root, "sys", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_IN_ROOT}, 24) = $at-sys (EAGAIN is fine)  # find what is now /sys
       25  add($at-sys, 0) (EAGAIN is fine), if != -11 go to 28  # was it found?
       26  add($attempts, 1), if < 2048 go to 22  # a rename or a mount came in between: try again
       27  fail(EAGAIN)  # find /sys
       28  label()  # /sys is there
       29  fsopen("sysfs", FSOPEN_CLOEXEC) = $new-sys  # a sysfs for /sys
       30  fsconfig($new-sys, FSCONFIG_SET_STRING, "source", "sysfs", 0)  # set source
       31  fsconfig($new-sys, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
       32  fsmount($new-sys, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC) = $sys  # a mount of it
       33  close($new-sys)  # it has its mount
       34  move_mount($sys, "", $at-sys, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /sys
       35  openat2($root, "dev", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-dev (ENOENT, EAGAIN is fine), if != -2 go to 38  # find /dev
       36  mkdirat($root, "dev", 0755) (EEXIST is fine)  # make /dev
       37  openat2($root, "dev", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-dev (EAGAIN is fine)  # find what is now /dev
       38  add($at-dev, 0) (EAGAIN is fine), if != -11 go to 41  # was it found?
       39  add($attempts, 1), if < 2048 go to 35  # a rename or a mount came in between: try again
       40  fail(EAGAIN)  # find /dev
       41  label()  # /dev is there
       42  fsopen("tmpfs", FSOPEN_CLOEXEC) = $new-dev  # a tmpfs for /dev
       43  fsconfig($new-dev, FSCONFIG_SET_STRING, "source", "tmpfs", 0)  # set source
       44  fsconfig($new-dev, FSCONFIG_SET_STRING, "size", "67108864", 0)  # set size
       45  fsconfig($new-dev, FSCONFIG_SET_STRING, "nr_inodes", "16384", 0)  # set nr_inodes
       46  fsconfig($new-dev, FSCONFIG_SET_STRING, "mode", "755", 0)  # set mode
       47  fsconfig($new-dev, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
       48  fsmount($new-dev, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID) = $dev  # a mount of it
       49  close($new-dev)  # it has its mount
       50  move_mount($dev, "", $at-dev, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /dev
       51  close($at-dev)  # /dev is found
       52  umask(000) = $umask  # devices get exactly the mode they should have
       53  mknodat($dev, "null", S_IFCHR|0666, makedev(1, 3))  # make the device null
       54  mknodat($dev, "zero", S_IFCHR|0666, makedev(1, 5))  # make the device zero
       55  mknodat($dev, "full", S_IFCHR|0666, makedev(1, 7))  # make the device full
       56  mknodat($dev, "random", S_IFCHR|0666, makedev(1, 8))  # make the device random
       57  mknodat($dev, "urandom", S_IFCHR|0666, makedev(1, 9))  # make the device urandom
       58  mknodat($dev, "tty", S_IFCHR|0666, makedev(5, 0))  # make the device tty
       59  umask($umask)  # the umask is as before
       60  symlinkat("/proc/self/fd", $dev, "fd")  # fd leads to /proc/self/fd
       61  symlinkat("/proc/self/fd/0", $dev, "stdin")  # stdin leads to /proc/self/fd/0
       62  symlinkat("/proc/self/fd/1", $dev, "stdout")  # stdout leads to /proc/self/fd/1
       63  symlinkat("/proc/self/fd/2", $dev, "stderr")  # stderr leads to /proc/self/fd/2
       64  symlinkat("pts/ptmx", $dev, "ptmx")  # ptmx leads to pts/ptmx
       65  mkdirat($dev, "pts", 0755)  # make the directory pts
       66  fsopen("devpts", FSOPEN_CLOEXEC) = $new-pts  # terminals
       67  fsconfig($new-pts, FSCONFIG_SET_STRING, "source", "devpts", 0)  # set source
       68  fsconfig($new-pts, FSCONFIG_SET_STRING, "ptmxmode", "666", 0)  # set ptmxmode
       69  fsconfig($new-pts, FSCONFIG_SET_STRING, "mode", "620", 0)  # set mode
       70  fsconfig($new-pts, FSCONFIG_SET_STRING, "gid", "5", 0)  # set gid
       71  fsconfig($new-pts, FSCONFIG_SET_STRING, "max", "256", 0)  # set max
       72  fsconfig($new-pts, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
       73  fsmount($new-pts, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC) = $pts  # a mount of it
       74  close($new-pts)  # it has its mount
       75  move_mount($pts, "", $dev, "pts", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to pts
       76  close($pts)  # it is attached
       77  mkdirat($dev, "shm", 0755)  # make the directory shm
       78  fsopen("tmpfs", FSOPEN_CLOEXEC) = $new-shm  # shared memory
       79  fsconfig($new-shm, FSCONFIG_SET_STRING, "source", "shm", 0)  # set source
       80  fsconfig($new-shm, FSCONFIG_SET_STRING, "size", "67108864", 0)  # set size
       81  fsconfig($new-shm, FSCONFIG_SET_STRING, "nr_inodes", "16384", 0)  # set nr_inodes
       82  fsconfig($new-shm, FSCONFIG_SET_STRING, "mode", "1777", 0)  # set mode
       83  fsconfig($new-shm, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
       84  fsmount($new-shm, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC) = $shm  # a mount of it
       85  close($new-shm)  # it has its mount
       86  move_mount($shm, "", $dev, "shm", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to shm
       87  close($shm)  # it is attached
       88  mkdirat($dev, "mqueue", 0755)  # make the directory mqueue
       89  fsopen("mqueue", FSOPEN_CLOEXEC) = $new-mqueue  # a new mqueue
       90  fsconfig($new-mqueue, FSCONFIG_SET_STRING, "source", "mqueue", 0)  # set source
       91  fsconfig($new-mqueue, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
       92  fsmount($new-mqueue, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC) = $mqueue  # a mount of it
       93  close($new-mqueue)  # it has its mount
       94  move_mount($mqueue, "", $dev, "mqueue", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to mqueue
       95  close($mqueue)  # it is attached
       96  openat2($root, "proc", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_IN_ROOT}, 24) = $at-proc (ENOENT, EAGAIN is fine), if != -2 go to 99  # find /proc
       97  mkdirat($root, "proc", 0755) (EEXIST is fine)  # make /proc
       98  openat2($root, "proc", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_IN_ROOT}, 24) = $at-proc (EAGAIN is fine)  # find what is now /proc
       99  add($at-proc, 0) (EAGAIN is fine), if != -11 go to 102  # was it found?
      100  add($attempts, 1), if < 2048 go to 96  # a rename or a mount came in between: try again
      101  fail(EAGAIN)  # find /proc
      102  label()  # /proc is there
      103  fsopen("proc", FSOPEN_CLOEXEC) = $new-proc  # a fresh proc
      104  fsconfig($new-proc, FSCONFIG_SET_STRING, "source", "proc", 0)  # set source
      105  fsconfig($new-proc, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      106  fsmount($new-proc, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC) = $proc  # a mount of it
      107  close($new-proc)  # it has its mount
      108  move_mount($proc, "", $at-proc, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /proc
      109  openat($dev, "null", O_CLOEXEC|O_PATH) = $dev-null  # the null device of the container
      110  open_tree($dev-null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $null  # the null device, to cover files with
      111  statx($null, "", 4096, 3, &stat)  # is $dev-null the null device?
      112  add($stat+29, 0), if != 33 go to 114  # is it a character device?
      113  add($stat+128, 0), if == 12884901889 go to 115  # is it 1:3?
      114  fail(ENODEV)  # $dev-null has to be the null device
      115  label()  # $dev-null is the null device
      116  mount_setattr($null, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC, attr_clr=0}, 32)  # make it readonly, noSuid, noExec
      117  fsopen("tmpfs", FSOPEN_CLOEXEC) = $new-empty  # an empty directory, to cover directories with
      118  fsconfig($new-empty, FSCONFIG_SET_STRING, "source", "tmpfs", 0)  # set source
      119  fsconfig($new-empty, FSCONFIG_SET_STRING, "mode", "755", 0)  # set mode
      120  fsconfig($new-empty, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      121  fsmount($new-empty, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC) = $empty  # a mount of it
      122  close($new-empty)  # it has its mount
      123  add($empty, 0) = $empty  # the first cover of a directory
      124  move_mount($empty, "", $proc, "acpi", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 130  # hide the directory /proc/acpi
      125  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 133  # is it there?
      126  move_mount($null, "", $proc, "acpi", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 133  # hide the file /proc/acpi
      127  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      128  close($null)  # the cover is where it belongs
      129  add($next, 0) = $null, if != -1 go to 133  # the next one
      130  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      131  close($empty)  # the cover is where it belongs
      132  add($next, 0) = $empty  # the next one
      133  label()  # /proc/acpi is hidden, if it exists
      134  move_mount($empty, "", $proc, "allocinfo", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 140  # hide the directory /proc/allocinfo
      135  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 143  # is it there?
      136  move_mount($null, "", $proc, "allocinfo", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 143  # hide the file /proc/allocinfo
      137  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      138  close($null)  # the cover is where it belongs
      139  add($next, 0) = $null, if != -1 go to 143  # the next one
      140  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      141  close($empty)  # the cover is where it belongs
      142  add($next, 0) = $empty  # the next one
      143  label()  # /proc/allocinfo is hidden, if it exists
      144  move_mount($empty, "", $proc, "asound", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 150  # hide the directory /proc/asound
      145  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 153  # is it there?
      146  move_mount($null, "", $proc, "asound", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 153  # hide the file /proc/asound
      147  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      148  close($null)  # the cover is where it belongs
      149  add($next, 0) = $null, if != -1 go to 153  # the next one
      150  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      151  close($empty)  # the cover is where it belongs
      152  add($next, 0) = $empty  # the next one
      153  label()  # /proc/asound is hidden, if it exists
      154  move_mount($empty, "", $proc, "dynamic_debug", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 160  # hide the directory /proc/dynamic_debug
      155  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 163  # is it there?
      156  move_mount($null, "", $proc, "dynamic_debug", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 163  # hide the file /proc/dynamic_debug
      157  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      158  close($null)  # the cover is where it belongs
      159  add($next, 0) = $null, if != -1 go to 163  # the next one
      160  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      161  close($empty)  # the cover is where it belongs
      162  add($next, 0) = $empty  # the next one
      163  label()  # /proc/dynamic_debug is hidden, if it exists
      164  move_mount($empty, "", $proc, "interrupts", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 170  # hide the directory /proc/interrupts
      165  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 173  # is it there?
      166  move_mount($null, "", $proc, "interrupts", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 173  # hide the file /proc/interrupts
      167  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      168  close($null)  # the cover is where it belongs
      169  add($next, 0) = $null, if != -1 go to 173  # the next one
      170  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      171  close($empty)  # the cover is where it belongs
      172  add($next, 0) = $empty  # the next one
      173  label()  # /proc/interrupts is hidden, if it exists
      174  move_mount($empty, "", $proc, "kcore", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 180  # hide the directory /proc/kcore
      175  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 183  # is it there?
      176  move_mount($null, "", $proc, "kcore", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 183  # hide the file /proc/kcore
      177  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      178  close($null)  # the cover is where it belongs
      179  add($next, 0) = $null, if != -1 go to 183  # the next one
      180  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      181  close($empty)  # the cover is where it belongs
      182  add($next, 0) = $empty  # the next one
      183  label()  # /proc/kcore is hidden, if it exists
      184  move_mount($empty, "", $proc, "keys", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 190  # hide the directory /proc/keys
      185  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 193  # is it there?
      186  move_mount($null, "", $proc, "keys", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 193  # hide the file /proc/keys
      187  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      188  close($null)  # the cover is where it belongs
      189  add($next, 0) = $null, if != -1 go to 193  # the next one
      190  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      191  close($empty)  # the cover is where it belongs
      192  add($next, 0) = $empty  # the next one
      193  label()  # /proc/keys is hidden, if it exists
      194  move_mount($empty, "", $proc, "kpagecgroup", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 200  # hide the directory /proc/kpagecgroup
      195  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 203  # is it there?
      196  move_mount($null, "", $proc, "kpagecgroup", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 203  # hide the file /proc/kpagecgroup
      197  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      198  close($null)  # the cover is where it belongs
      199  add($next, 0) = $null, if != -1 go to 203  # the next one
      200  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      201  close($empty)  # the cover is where it belongs
      202  add($next, 0) = $empty  # the next one
      203  label()  # /proc/kpagecgroup is hidden, if it exists
      204  move_mount($empty, "", $proc, "kpagecount", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 210  # hide the directory /proc/kpagecount
      205  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 213  # is it there?
      206  move_mount($null, "", $proc, "kpagecount", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 213  # hide the file /proc/kpagecount
      207  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      208  close($null)  # the cover is where it belongs
      209  add($next, 0) = $null, if != -1 go to 213  # the next one
      210  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      211  close($empty)  # the cover is where it belongs
      212  add($next, 0) = $empty  # the next one
      213  label()  # /proc/kpagecount is hidden, if it exists
      214  move_mount($empty, "", $proc, "kpageflags", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 220  # hide the directory /proc/kpageflags
      215  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 223  # is it there?
      216  move_mount($null, "", $proc, "kpageflags", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 223  # hide the file /proc/kpageflags
      217  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      218  close($null)  # the cover is where it belongs
      219  add($next, 0) = $null, if != -1 go to 223  # the next one
      220  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      221  close($empty)  # the cover is where it belongs
      222  add($next, 0) = $empty  # the next one
      223  label()  # /proc/kpageflags is hidden, if it exists
      224  move_mount($empty, "", $proc, "latency_stats", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 230  # hide the directory /proc/latency_stats
      225  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 233  # is it there?
      226  move_mount($null, "", $proc, "latency_stats", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 233  # hide the file /proc/latency_stats
      227  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      228  close($null)  # the cover is where it belongs
      229  add($next, 0) = $null, if != -1 go to 233  # the next one
      230  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      231  close($empty)  # the cover is where it belongs
      232  add($next, 0) = $empty  # the next one
      233  label()  # /proc/latency_stats is hidden, if it exists
      234  move_mount($empty, "", $proc, "pagetypeinfo", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 240  # hide the directory /proc/pagetypeinfo
      235  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 243  # is it there?
      236  move_mount($null, "", $proc, "pagetypeinfo", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 243  # hide the file /proc/pagetypeinfo
      237  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      238  close($null)  # the cover is where it belongs
      239  add($next, 0) = $null, if != -1 go to 243  # the next one
      240  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      241  close($empty)  # the cover is where it belongs
      242  add($next, 0) = $empty  # the next one
      243  label()  # /proc/pagetypeinfo is hidden, if it exists
      244  move_mount($empty, "", $proc, "sched_debug", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 250  # hide the directory /proc/sched_debug
      245  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 253  # is it there?
      246  move_mount($null, "", $proc, "sched_debug", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 253  # hide the file /proc/sched_debug
      247  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      248  close($null)  # the cover is where it belongs
      249  add($next, 0) = $null, if != -1 go to 253  # the next one
      250  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      251  close($empty)  # the cover is where it belongs
      252  add($next, 0) = $empty  # the next one
      253  label()  # /proc/sched_debug is hidden, if it exists
      254  move_mount($empty, "", $proc, "scsi", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 260  # hide the directory /proc/scsi
      255  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 263  # is it there?
      256  move_mount($null, "", $proc, "scsi", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 263  # hide the file /proc/scsi
      257  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      258  close($null)  # the cover is where it belongs
      259  add($next, 0) = $null, if != -1 go to 263  # the next one
      260  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      261  close($empty)  # the cover is where it belongs
      262  add($next, 0) = $empty  # the next one
      263  label()  # /proc/scsi is hidden, if it exists
      264  move_mount($empty, "", $proc, "slabinfo", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 270  # hide the directory /proc/slabinfo
      265  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 273  # is it there?
      266  move_mount($null, "", $proc, "slabinfo", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 273  # hide the file /proc/slabinfo
      267  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      268  close($null)  # the cover is where it belongs
      269  add($next, 0) = $null, if != -1 go to 273  # the next one
      270  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      271  close($empty)  # the cover is where it belongs
      272  add($next, 0) = $empty  # the next one
      273  label()  # /proc/slabinfo is hidden, if it exists
      274  move_mount($empty, "", $proc, "timer_list", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 280  # hide the directory /proc/timer_list
      275  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 283  # is it there?
      276  move_mount($null, "", $proc, "timer_list", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 283  # hide the file /proc/timer_list
      277  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      278  close($null)  # the cover is where it belongs
      279  add($next, 0) = $null, if != -1 go to 283  # the next one
      280  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      281  close($empty)  # the cover is where it belongs
      282  add($next, 0) = $empty  # the next one
      283  label()  # /proc/timer_list is hidden, if it exists
      284  move_mount($empty, "", $proc, "timer_stats", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 290  # hide the directory /proc/timer_stats
      285  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 293  # is it there?
      286  move_mount($null, "", $proc, "timer_stats", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 293  # hide the file /proc/timer_stats
      287  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      288  close($null)  # the cover is where it belongs
      289  add($next, 0) = $null, if != -1 go to 293  # the next one
      290  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      291  close($empty)  # the cover is where it belongs
      292  add($next, 0) = $empty  # the next one
      293  label()  # /proc/timer_stats is hidden, if it exists
      294  move_mount($empty, "", $proc, "vmallocinfo", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 300  # hide the directory /proc/vmallocinfo
      295  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 303  # is it there?
      296  move_mount($null, "", $proc, "vmallocinfo", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 303  # hide the file /proc/vmallocinfo
      297  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      298  close($null)  # the cover is where it belongs
      299  add($next, 0) = $null, if != -1 go to 303  # the next one
      300  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      301  close($empty)  # the cover is where it belongs
      302  add($next, 0) = $empty  # the next one
      303  label()  # /proc/vmallocinfo is hidden, if it exists
      304  move_mount($empty, "", $sys, "devices/virtual/powercap", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 310  # hide the directory /sys/devices/virtual/powercap
      305  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 313  # is it there?
      306  move_mount($null, "", $sys, "devices/virtual/powercap", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 313  # hide the file /sys/devices/virtual/powercap
      307  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      308  close($null)  # the cover is where it belongs
      309  add($next, 0) = $null, if != -1 go to 313  # the next one
      310  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      311  close($empty)  # the cover is where it belongs
      312  add($next, 0) = $empty  # the next one
      313  label()  # /sys/devices/virtual/powercap is hidden, if it exists
      314  move_mount($empty, "", $sys, "firmware", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 320  # hide the directory /sys/firmware
      315  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 323  # is it there?
      316  move_mount($null, "", $sys, "firmware", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 323  # hide the file /sys/firmware
      317  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      318  close($null)  # the cover is where it belongs
      319  add($next, 0) = $null, if != -1 go to 323  # the next one
      320  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      321  close($empty)  # the cover is where it belongs
      322  add($next, 0) = $empty  # the next one
      323  label()  # /sys/firmware is hidden, if it exists
      324  move_mount($empty, "", $sys, "devices/pci0000:00", MOVE_MOUNT_F_EMPTY_PATH) (EINVAL, ENOENT, ENOTDIR is fine), if == 0 go to 330  # hide the directory /sys/devices/pci0000:00
      325  add($tried, 0) (EINVAL, ENOENT, ENOTDIR is fine), if != -22 go to 333  # is it there?
      326  move_mount($null, "", $sys, "devices/pci0000:00", MOVE_MOUNT_F_EMPTY_PATH) (ENOENT, ENOTDIR is fine), if != 0 go to 333  # hide the file /sys/devices/pci0000:00
      327  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      328  close($null)  # the cover is where it belongs
      329  add($next, 0) = $null, if != -1 go to 333  # the next one
      330  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      331  close($empty)  # the cover is where it belongs
      332  add($next, 0) = $empty  # the next one
      333  label()  # /sys/devices/pci0000:00 is hidden, if it exists
      334  open_tree($proc, "bus", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_SYMLINK_NOFOLLOW|AT_RECURSIVE) = $bound (ENOENT, ENOTDIR is fine), if < 0 go to 338  # a mount of /proc/bus, if it is there
      335  mount_setattr($bound, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY, attr_clr=0}, 32)  # make it readonly
      336  move_mount($bound, "", $proc, "bus", MOVE_MOUNT_F_EMPTY_PATH)  # attach it over /proc/bus
      337  close($bound)  # it is attached
      338  label()  # /proc/bus is read-only, if it exists
      339  open_tree($proc, "driver", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_SYMLINK_NOFOLLOW|AT_RECURSIVE) = $bound (ENOENT, ENOTDIR is fine), if < 0 go to 343  # a mount of /proc/driver, if it is there
      340  mount_setattr($bound, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY, attr_clr=0}, 32)  # make it readonly
      341  move_mount($bound, "", $proc, "driver", MOVE_MOUNT_F_EMPTY_PATH)  # attach it over /proc/driver
      342  close($bound)  # it is attached
      343  label()  # /proc/driver is read-only, if it exists
      344  open_tree($proc, "fs", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_SYMLINK_NOFOLLOW|AT_RECURSIVE) = $bound (ENOENT, ENOTDIR is fine), if < 0 go to 348  # a mount of /proc/fs, if it is there
      345  mount_setattr($bound, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY, attr_clr=0}, 32)  # make it readonly
      346  move_mount($bound, "", $proc, "fs", MOVE_MOUNT_F_EMPTY_PATH)  # attach it over /proc/fs
      347  close($bound)  # it is attached
      348  label()  # /proc/fs is read-only, if it exists
      349  open_tree($proc, "irq", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_SYMLINK_NOFOLLOW|AT_RECURSIVE) = $bound (ENOENT, ENOTDIR is fine), if < 0 go to 353  # a mount of /proc/irq, if it is there
      350  mount_setattr($bound, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY, attr_clr=0}, 32)  # make it readonly
      351  move_mount($bound, "", $proc, "irq", MOVE_MOUNT_F_EMPTY_PATH)  # attach it over /proc/irq
      352  close($bound)  # it is attached
      353  label()  # /proc/irq is read-only, if it exists
      354  open_tree($proc, "mtrr", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_SYMLINK_NOFOLLOW|AT_RECURSIVE) = $bound (ENOENT, ENOTDIR is fine), if < 0 go to 358  # a mount of /proc/mtrr, if it is there
      355  mount_setattr($bound, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY, attr_clr=0}, 32)  # make it readonly
      356  move_mount($bound, "", $proc, "mtrr", MOVE_MOUNT_F_EMPTY_PATH)  # attach it over /proc/mtrr
      357  close($bound)  # it is attached
      358  label()  # /proc/mtrr is read-only, if it exists
      359  open_tree($proc, "sys", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_SYMLINK_NOFOLLOW|AT_RECURSIVE) = $bound (ENOENT, ENOTDIR is fine), if < 0 go to 363  # a mount of /proc/sys, if it is there
      360  mount_setattr($bound, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY, attr_clr=0}, 32)  # make it readonly
      361  move_mount($bound, "", $proc, "sys", MOVE_MOUNT_F_EMPTY_PATH)  # attach it over /proc/sys
      362  close($bound)  # it is attached
      363  label()  # /proc/sys is read-only, if it exists
      364  open_tree($proc, "sysrq-trigger", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_SYMLINK_NOFOLLOW|AT_RECURSIVE) = $bound (ENOENT, ENOTDIR is fine), if < 0 go to 368  # a mount of /proc/sysrq-trigger, if it is there
      365  mount_setattr($bound, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY, attr_clr=0}, 32)  # make it readonly
      366  move_mount($bound, "", $proc, "sysrq-trigger", MOVE_MOUNT_F_EMPTY_PATH)  # attach it over /proc/sysrq-trigger
      367  close($bound)  # it is attached
      368  label()  # /proc/sysrq-trigger is read-only, if it exists
      369  fchdir($root)  # go to the new root $root
      370  pivot_root(".", ".")  # make it the root; the old one is on top of it now
      371  umount2(".", MNT_DETACH)  # drop the old root
      372  chdir("/")  # start at the new root
      373  chdir("/")  # the directory to start in
      374  label()  # stdin is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      375  label()  # stdout is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      376  label()  # stderr is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      377  read($answer, &kept, 1), if == 1 go to 379  # wait until the keeper has it
      378  fail(EMFILE)  # the keeper takes the process
      379  label()  # this process is kept
      380  prlimit64(0, RLIMIT_NOFILE, NULL, &nofile)  # the inherited limits of nofile
      381  add($nofile+8, 0) (any error is fine), if < 0 go to 383  # at most the hard limit
      382  add($nofile+8, 0), if < 1024 go to 384  # is the hard limit less?
      383  add(1024, 0)  # the soft limit
      384  label()  # the hard limit stays
      385  prlimit64(0, RLIMIT_NOFILE, &nofile, NULL)  # limit nofile
      386  prlimit64(0, RLIMIT_CORE, {rlim_cur=0, rlim_max=0}, NULL)  # limit core
      387  keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) (ENOSYS, EPERM is fine)  # a session keyring of its own
      388  prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH)  # no program gains it
      389  prctl(PR_CAPBSET_DROP, CAP_LINUX_IMMUTABLE)  # no program gains it
      390  prctl(PR_CAPBSET_DROP, CAP_NET_BROADCAST)  # no program gains it
      391  prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN)  # no program gains it
      392  prctl(PR_CAPBSET_DROP, CAP_NET_RAW)  # no program gains it
      393  prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK)  # no program gains it
      394  prctl(PR_CAPBSET_DROP, CAP_IPC_OWNER)  # no program gains it
      395  prctl(PR_CAPBSET_DROP, CAP_SYS_MODULE)  # no program gains it
      396  prctl(PR_CAPBSET_DROP, CAP_SYS_RAWIO)  # no program gains it
      397  prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE)  # no program gains it
      398  prctl(PR_CAPBSET_DROP, CAP_SYS_PACCT)  # no program gains it
      399  prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN)  # no program gains it
      400  prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT)  # no program gains it
      401  prctl(PR_CAPBSET_DROP, CAP_SYS_NICE)  # no program gains it
      402  prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE)  # no program gains it
      403  prctl(PR_CAPBSET_DROP, CAP_SYS_TIME)  # no program gains it
      404  prctl(PR_CAPBSET_DROP, CAP_SYS_TTY_CONFIG)  # no program gains it
      405  prctl(PR_CAPBSET_DROP, CAP_MKNOD)  # no program gains it
      406  prctl(PR_CAPBSET_DROP, CAP_LEASE)  # no program gains it
      407  prctl(PR_CAPBSET_DROP, CAP_AUDIT_WRITE)  # no program gains it
      408  prctl(PR_CAPBSET_DROP, CAP_AUDIT_CONTROL)  # no program gains it
      409  prctl(PR_CAPBSET_DROP, CAP_MAC_OVERRIDE)  # no program gains it
      410  prctl(PR_CAPBSET_DROP, CAP_MAC_ADMIN)  # no program gains it
      411  prctl(PR_CAPBSET_DROP, CAP_SYSLOG)  # no program gains it
      412  prctl(PR_CAPBSET_DROP, CAP_WAKE_ALARM)  # no program gains it
      413  prctl(PR_CAPBSET_DROP, CAP_BLOCK_SUSPEND)  # no program gains it
      414  prctl(PR_CAPBSET_DROP, CAP_AUDIT_READ)  # no program gains it
      415  prctl(PR_CAPBSET_DROP, CAP_PERFMON)  # no program gains it
      416  prctl(PR_CAPBSET_DROP, CAP_BPF)  # no program gains it
      417  prctl(PR_CAPBSET_DROP, CAP_CHECKPOINT_RESTORE)  # no program gains it
      418  prctl(PR_CAPBSET_DROP, $next) (EINVAL is fine), if < 0 go to 420  # nor one that a newer kernel has
      419  add($next, 1), if != 0 go to 418  # the one behind it
      420  label()  # there are no more
      421  setgroups(0, NULL) (EPERM is fine)  # the caller's further groups are not the container's
      422  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)  # no capability comes with every program
      423  capset({version=_LINUX_CAPABILITY_VERSION_3, pid=0}, {effective=CAP_CHOWN|CAP_DAC_OVERRIDE|CAP_FOWNER|CAP_FSETID|CAP_KILL|CAP_SETGID|CAP_SETUID|CAP_SETPCAP|CAP_NET_BIND_SERVICE|CAP_SYS_CHROOT|CAP_SETFCAP, permitted=CAP_CHOWN|CAP_DAC_OVERRIDE|CAP_FOWNER|CAP_FSETID|CAP_KILL|CAP_SETGID|CAP_SETUID|CAP_SETPCAP|CAP_NET_BIND_SERVICE|CAP_SYS_CHROOT|CAP_SETFCAP, inheritable=0})  # these capabilities and no other
      424  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # no program brings new rights with it
      425  close_range(4, 4294967295, 0)  # nothing that the set-up opened is open any more
      426  seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=344, filter=&filter})  # the filter: 303 calls allowed, 6 by their arguments, the rest EPERM (344 instructions)
      427  setsid() (EPERM is fine)  # a session of its own: no signals and no input by way of the caller
      428  umask(022)  # permissions that new files do not have
      429  write(3, "\\3\\0\\0\\0\\0\\0\\0\\0", 8)  # the set-up is done
      430  execve("/bin/hostname", ["hostname"], ["PATH=/bin", "HOME=/", "HOSTNAME=box", "TERM=xterm"]) (ENOENT, ENOTDIR, EACCES, ENOEXEC, ELOOP, ENAMETOOLONG is fine)  # exec "/bin/hostname"
      431  faccessat(AT_FDCWD, "/bin/hostname", 0) (ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG is fine), if < 0 go to 433  # exec "/bin/hostname": is it there?
      432  execve("/bin/hostname", ["hostname"], ["PATH=/bin", "HOME=/", "HOSTNAME=box", "TERM=xterm"])  # exec "/bin/hostname"
      433  fail(ENOENT)  # exec "hostname": executable file not found
      "
    `);
  });

  it('looks for the program where PATH says, in the container', () => {
    expect(`\n${changes(plan(['/bin/sh'], base), plan(['sh'], { ...base, env: { ...base.env, PATH: '/opt/bin::/bin' } }))}\n`).toMatchInlineSnapshot(`
      "
        write(3, "\\3\\0\\0\\0\\0\\0\\0\\0", 8)  # the set-up is done
      - execve("/bin/sh", ["/bin/sh"], ["PATH=/bin", "HOME=/", "HOSTNAME=box", "TERM=xterm"]) (ENOENT, ENOTDIR, EACCES, ENOEXEC, ELOOP, ENAMETOOLONG is fine)  # exec "/bin/sh"
      - faccessat(AT_FDCWD, "/bin/sh", 0) (ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG is fine), if < 0 go to ‹exec "/bin/sh": no such file or directory›  # exec "/bin/sh": is it there?
      - execve("/bin/sh", ["/bin/sh"], ["PATH=/bin", "HOME=/", "HOSTNAME=box", "TERM=xterm"])  # exec "/bin/sh"
      - fail(ENOENT)  # exec "/bin/sh": no such file or directory
      + execve("/opt/bin/sh", ["sh"], ["PATH=/opt/bin::/bin", "HOME=/", "HOSTNAME=box", "TERM=xterm"]) (ENOENT, ENOTDIR, EACCES, ENOEXEC, ELOOP, ENAMETOOLONG is fine)  # exec "/opt/bin/sh"
      + execve("./sh", ["sh"], ["PATH=/opt/bin::/bin", "HOME=/", "HOSTNAME=box", "TERM=xterm"]) (ENOENT, ENOTDIR, EACCES, ENOEXEC, ELOOP, ENAMETOOLONG is fine)  # exec "./sh"
      + execve("/bin/sh", ["sh"], ["PATH=/opt/bin::/bin", "HOME=/", "HOSTNAME=box", "TERM=xterm"]) (ENOENT, ENOTDIR, EACCES, ENOEXEC, ELOOP, ENAMETOOLONG is fine)  # exec "/bin/sh"
      + faccessat(AT_FDCWD, "/opt/bin/sh", 0) (ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG is fine), if < 0 go to ‹exec "./sh": is it there?›  # exec "/opt/bin/sh": is it there?
      + execve("/opt/bin/sh", ["sh"], ["PATH=/opt/bin::/bin", "HOME=/", "HOSTNAME=box", "TERM=xterm"])  # exec "/opt/bin/sh"
      + faccessat(AT_FDCWD, "./sh", 0) (ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG is fine), if < 0 go to ‹exec "/bin/sh": is it there?›  # exec "./sh": is it there?
      + execve("./sh", ["sh"], ["PATH=/opt/bin::/bin", "HOME=/", "HOSTNAME=box", "TERM=xterm"])  # exec "./sh"
      + faccessat(AT_FDCWD, "/bin/sh", 0) (ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG is fine), if < 0 go to ‹exec "sh": executable file not found›  # exec "/bin/sh": is it there?
      + execve("/bin/sh", ["sh"], ["PATH=/opt/bin::/bin", "HOME=/", "HOSTNAME=box", "TERM=xterm"])  # exec "/bin/sh"
      + fail(ENOENT)  # exec "sh": executable file not found
      "
    `);
  });

  it('has an environment that is named by the options alone', () => {
    const { env: _, ...rest } = base;
    expect(
      changes(plan(['/bin/sh'], base), plan(['/bin/sh'], { ...rest, env: { LANG: 'C' }, user: { uid: 0, gid: 0 } }))
        .split('\n')
        .findLast((line) => line.startsWith('+ exec')),
    ).toMatchInlineSnapshot(
      `"+ execve("/bin/sh", ["/bin/sh"], ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bi"..., "HOME=/root", "HOSTNAME=container", "LANG=C"])  # exec "/bin/sh""`,
    );
    expect(
      changes(plan(['/bin/sh'], base), plan(['/bin/sh'], { ...rest, user: { uid: 1, gid: 1 } }))
        .split('\n')
        .findLast((line) => line.startsWith('+ exec')),
    ).toMatchInlineSnapshot(
      `"+ execve("/bin/sh", ["/bin/sh"], ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bi"..., "HOME=/", "HOSTNAME=container"])  # exec "/bin/sh""`,
    );
  });

  it('compiles as often as it is made, though most of its steps are kept', () => {
    const plans = [plan(['/bin/true'], base), plan(['/bin/true'], base), plan(['/bin/false'], base)] as const;
    expect(explain(plans[0])).toBe(explain(plans[1]));
    for (const each of plans) expect(compile(each).length).toBeGreaterThan(1000);
    expect(explain(plans[0])).toBe(explain(plan(['/bin/true'], base)));
  });
});

describe('namespaces', () => {
  it('mount: host', () => {
    const { rootfs: _, ...rest } = base;
    expect(`\n${explain(plan(['/bin/true'], { ...rest, namespaces: { ...base.namespaces, mount: 'host' } }))}\n`).toMatchInlineSnapshot(`
      "
       1  clone(CLONE_VM|CLONE_PARENT|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to 4  # go on in a new process, in new namespaces
       2  write(3, "\\1\\0\\0\\0\\0\\0\\0\\0", 8) (any error is fine)  # tell the host its pid
       3  exit_group(0)  # the first process has done its part
       4  label()  # the new process
       5  prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)  # die with the host
       6  ppoll({fd=3, events=0x0}, 1, {}, NULL, 8), if == 0 go to 8  # is the host still there?
       7  exit_group(137)  # the host is gone
       8  label()  # the host is alive
       9  pipe2(&answer, O_CLOEXEC)  # by what the keeper answers
      10  add($answer+4, 0)  # its end of the pipe
      11  pidfd_open(1, 0)  # by what the keeper knows this process
      12  sendmsg(4, {msg_iov={iov_base="\\30\\0", iov_len=2}, msg_iovlen=1, msg_control="\\30\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", msg_controllen=24}, MSG_NOSIGNAL)  # the keeper kills this process when the host ends
      13  close($answer+4)  # the keeper alone can answer
      14  sched_setaffinity(0, 1024, "\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377"...) (any error is fine)  # run on all processors of the cpuset
      15  umask(000)  # modes are as they are given
      16  sethostname("container", 9)  # the host name
      17  chdir("/")  # the directory to start in
      18  label()  # stdin is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      19  label()  # stdout is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      20  label()  # stderr is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      21  read($answer, &kept, 1), if == 1 go to 23  # wait until the keeper has it
      22  fail(EMFILE)  # the keeper takes the process
      23  label()  # this process is kept
      24  prlimit64(0, RLIMIT_NOFILE, NULL, &nofile)  # the inherited limits of nofile
      25  add($nofile+8, 0) (any error is fine), if < 0 go to 27  # at most the hard limit
      26  add($nofile+8, 0), if < 1024 go to 28  # is the hard limit less?
      27  add(1024, 0)  # the soft limit
      28  label()  # the hard limit stays
      29  prlimit64(0, RLIMIT_NOFILE, &nofile, NULL)  # limit nofile
      30  prlimit64(0, RLIMIT_CORE, {rlim_cur=0, rlim_max=0}, NULL)  # limit core
      31  keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) (ENOSYS, EPERM is fine)  # a session keyring of its own
      32  prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH)  # no program gains it
      33  prctl(PR_CAPBSET_DROP, CAP_LINUX_IMMUTABLE)  # no program gains it
      34  prctl(PR_CAPBSET_DROP, CAP_NET_BROADCAST)  # no program gains it
      35  prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN)  # no program gains it
      36  prctl(PR_CAPBSET_DROP, CAP_NET_RAW)  # no program gains it
      37  prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK)  # no program gains it
      38  prctl(PR_CAPBSET_DROP, CAP_IPC_OWNER)  # no program gains it
      39  prctl(PR_CAPBSET_DROP, CAP_SYS_MODULE)  # no program gains it
      40  prctl(PR_CAPBSET_DROP, CAP_SYS_RAWIO)  # no program gains it
      41  prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE)  # no program gains it
      42  prctl(PR_CAPBSET_DROP, CAP_SYS_PACCT)  # no program gains it
      43  prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN)  # no program gains it
      44  prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT)  # no program gains it
      45  prctl(PR_CAPBSET_DROP, CAP_SYS_NICE)  # no program gains it
      46  prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE)  # no program gains it
      47  prctl(PR_CAPBSET_DROP, CAP_SYS_TIME)  # no program gains it
      48  prctl(PR_CAPBSET_DROP, CAP_SYS_TTY_CONFIG)  # no program gains it
      49  prctl(PR_CAPBSET_DROP, CAP_MKNOD)  # no program gains it
      50  prctl(PR_CAPBSET_DROP, CAP_LEASE)  # no program gains it
      51  prctl(PR_CAPBSET_DROP, CAP_AUDIT_WRITE)  # no program gains it
      52  prctl(PR_CAPBSET_DROP, CAP_AUDIT_CONTROL)  # no program gains it
      53  prctl(PR_CAPBSET_DROP, CAP_MAC_OVERRIDE)  # no program gains it
      54  prctl(PR_CAPBSET_DROP, CAP_MAC_ADMIN)  # no program gains it
      55  prctl(PR_CAPBSET_DROP, CAP_SYSLOG)  # no program gains it
      56  prctl(PR_CAPBSET_DROP, CAP_WAKE_ALARM)  # no program gains it
      57  prctl(PR_CAPBSET_DROP, CAP_BLOCK_SUSPEND)  # no program gains it
      58  prctl(PR_CAPBSET_DROP, CAP_AUDIT_READ)  # no program gains it
      59  prctl(PR_CAPBSET_DROP, CAP_PERFMON)  # no program gains it
      60  prctl(PR_CAPBSET_DROP, CAP_BPF)  # no program gains it
      61  prctl(PR_CAPBSET_DROP, CAP_CHECKPOINT_RESTORE)  # no program gains it
      62  prctl(PR_CAPBSET_DROP, $next) (EINVAL is fine), if < 0 go to 64  # nor one that a newer kernel has
      63  add($next, 1), if != 0 go to 62  # the one behind it
      64  label()  # there are no more
      65  setgroups(0, NULL) (EPERM is fine)  # the caller's further groups are not the container's
      66  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)  # no capability comes with every program
      67  capset({version=_LINUX_CAPABILITY_VERSION_3, pid=0}, {effective=CAP_CHOWN|CAP_DAC_OVERRIDE|CAP_FOWNER|CAP_FSETID|CAP_KILL|CAP_SETGID|CAP_SETUID|CAP_SETPCAP|CAP_NET_BIND_SERVICE|CAP_SYS_CHROOT|CAP_SETFCAP, permitted=CAP_CHOWN|CAP_DAC_OVERRIDE|CAP_FOWNER|CAP_FSETID|CAP_KILL|CAP_SETGID|CAP_SETUID|CAP_SETPCAP|CAP_NET_BIND_SERVICE|CAP_SYS_CHROOT|CAP_SETFCAP, inheritable=0})  # these capabilities and no other
      68  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # no program brings new rights with it
      69  close_range(4, 4294967295, 0)  # nothing that the set-up opened is open any more
      70  seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=344, filter=&filter})  # the filter: 303 calls allowed, 6 by their arguments, the rest EPERM (344 instructions)
      71  setsid() (EPERM is fine)  # a session of its own: no signals and no input by way of the caller
      72  umask(022)  # permissions that new files do not have
      73  write(3, "\\3\\0\\0\\0\\0\\0\\0\\0", 8)  # the set-up is done
      74  execve("/bin/true", ["/bin/true"], ["PATH=/bin", "HOME=/", "HOSTNAME=box", "TERM=xterm"]) (ENOENT, ENOTDIR, EACCES, ENOEXEC, ELOOP, ENAMETOOLONG is fine)  # exec "/bin/true"
      75  faccessat(AT_FDCWD, "/bin/true", 0) (ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG is fine), if < 0 go to 77  # exec "/bin/true": is it there?
      76  execve("/bin/true", ["/bin/true"], ["PATH=/bin", "HOME=/", "HOSTNAME=box", "TERM=xterm"])  # exec "/bin/true"
      77  fail(ENOENT)  # exec "/bin/true": no such file or directory
      "
    `);
  });
  it('pid: host', () => {
    expect(changed({ namespaces: { pid: 'host' } })).toMatchInlineSnapshot(`
      "
      - clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
      + clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
        label()  # the host is alive
      + getpid() = $self  # the process to keep
        add($answer+4, 0)  # its end of the pipe
      - pidfd_open(1, 0)  # by what the keeper knows this process
      + pidfd_open($self, 0)  # by what the keeper knows this process
      "
    `);
  });
  it('uts: host', () => {
    expect(changed({ namespaces: { uts: 'host' } })).toMatchInlineSnapshot(`
      "
      - clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
      + clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
        umask(000)  # modes are as they are given
      - sethostname("container", 9)  # the host name
      "
    `);
  });
  it('net: new', () => {
    expect(changed({ namespaces: { net: 'new' } })).toMatchInlineSnapshot(`
      "
      - clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
      + clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|CLONE_NEWNET|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
        sethostname("container", 9)  # the host name
      + socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, 0) = $socket  # any socket, to speak of network devices
      + ioctl($socket, SIOCSIFFLAGS, {ifr_name="lo", ifr_flags=IFF_UP|IFF_RUNNING})  # switch on the loopback device
      + close($socket)  # the socket is not needed any more
      "
    `);
  });
  it('ipc and cgroup: new', () => {
    expect(changed({ namespaces: { ipc: 'new', cgroup: 'new' } })).toMatchInlineSnapshot(`
      "
      - clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
      + clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWCGROUP|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
      "
    `);
  });
  it('time: new', () => {
    expect(changed({ namespaces: { time: 'new' } })).toMatchInlineSnapshot(`
      "
      - clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
      + unshare(CLONE_NEWTIME)  # new time namespace
      + clone(CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, NULL, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
      "
    `);
  });
  it('user: new, with maps that the host writes', () => {
    const maps = [{ inside: 0, outside: 100_000, count: 65_536 }];
    expect(changed({ namespaces: { user: 'new', net: 'new', ipc: 'new' }, uidMap: maps, gidMap: maps })).toMatchInlineSnapshot(`
      "
      - clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
      + socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0, &way)  # a way of its own to the keeper
      + setsockopt($way, 1, 16, "\\1\\0\\0\\0", 4)  # the kernel tells the keeper who writes there
      + add($way, 0)  # its end of the way
      + sendmsg(4, {msg_iov={iov_base="\\24\\1", iov_len=2}, msg_iovlen=1, msg_control="\\24\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", msg_controllen=20}, MSG_NOSIGNAL)  # the keeper gets its end
      + dup3($way+4, 4, O_CLOEXEC)  # this way is the one to the keeper from here on
      + close($way+4)  # one file is enough
      + close($way)  # the keeper alone can answer
      + unshare(CLONE_NEWUSER)  # new user namespace
      + write(3, "\\2\\0\\0\\0\\0\\0\\0\\0", 8)  # tell the host: map the ids: uids and gids 0-65535 are 100000-165535
      + read(3, &answer, 1), if == 1 go to ‹the host has answered›  # wait for the host: map the ids: uids and gids 0-65535 are 100000-165535
      + fail(EPIPE)  # the host is gone
      + label()  # the host has answered
      + setgroups(0, NULL) (EPERM is fine)  # supplementary groups (none)
      + setresgid(0, 0, 0)  # group 0
      + setresuid(0, 0, 0)  # user 0
      + clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWPID|CLONE_NEWNET|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
        label()  # the host is alive
      - pipe2(&answer, O_CLOEXEC)  # by what the keeper answers
      - add($answer+4, 0)  # its end of the pipe
      - pidfd_open(1, 0)  # by what the keeper knows this process
      - sendmsg(4, {msg_iov={iov_base="\\30\\0", iov_len=2}, msg_iovlen=1, msg_control="\\30\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", msg_controllen=24}, MSG_NOSIGNAL)  # the keeper kills this process when the host ends
      - close($answer+4)  # the keeper alone can answer
      + sendmsg(4, {msg_iov={iov_base="k", iov_len=1}, msg_iovlen=1}, MSG_NOSIGNAL) (EPIPE is fine)  # the keeper kills this process when the host ends
        sethostname("container", 9)  # the host name
      + socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, 0) = $socket  # any socket, to speak of network devices
      + ioctl($socket, SIOCSIFFLAGS, {ifr_name="lo", ifr_flags=IFF_UP|IFF_RUNNING})  # switch on the loopback device
      + close($socket)  # the socket is not needed any more
        umask(000) = $umask  # devices get exactly the mode they should have
      - mknodat($dev, "null", S_IFCHR|0666, makedev(1, 3))  # make the device null
      - mknodat($dev, "zero", S_IFCHR|0666, makedev(1, 5))  # make the device zero
      - mknodat($dev, "full", S_IFCHR|0666, makedev(1, 7))  # make the device full
      - mknodat($dev, "random", S_IFCHR|0666, makedev(1, 8))  # make the device random
      - mknodat($dev, "urandom", S_IFCHR|0666, makedev(1, 9))  # make the device urandom
      - mknodat($dev, "tty", S_IFCHR|0666, makedev(5, 0))  # make the device tty
      + open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $null  # the host's /dev/null
      + mount_setattr($null, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC, attr_clr=0}, 32)  # make it readonly, noSuid, noExec
      + mknodat($dev, "null", S_IFREG|0666, makedev(0, 0))  # a file to mount null on
      + move_mount($null, "", $dev, "null", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to null
      + close($null)  # it is attached
      + open_tree(AT_FDCWD, "/dev/zero", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $zero  # the host's /dev/zero
      + mount_setattr($zero, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC, attr_clr=0}, 32)  # make it readonly, noSuid, noExec
      + mknodat($dev, "zero", S_IFREG|0666, makedev(0, 0))  # a file to mount zero on
      + move_mount($zero, "", $dev, "zero", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to zero
      + close($zero)  # it is attached
      + open_tree(AT_FDCWD, "/dev/full", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $full  # the host's /dev/full
      + mount_setattr($full, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC, attr_clr=0}, 32)  # make it readonly, noSuid, noExec
      + mknodat($dev, "full", S_IFREG|0666, makedev(0, 0))  # a file to mount full on
      + move_mount($full, "", $dev, "full", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to full
      + close($full)  # it is attached
      + open_tree(AT_FDCWD, "/dev/random", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $random  # the host's /dev/random
      + mount_setattr($random, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC, attr_clr=0}, 32)  # make it readonly, noSuid, noExec
      + mknodat($dev, "random", S_IFREG|0666, makedev(0, 0))  # a file to mount random on
      + move_mount($random, "", $dev, "random", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to random
      + close($random)  # it is attached
      + open_tree(AT_FDCWD, "/dev/urandom", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $urandom  # the host's /dev/urandom
      + mount_setattr($urandom, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC, attr_clr=0}, 32)  # make it readonly, noSuid, noExec
      + mknodat($dev, "urandom", S_IFREG|0666, makedev(0, 0))  # a file to mount urandom on
      + move_mount($urandom, "", $dev, "urandom", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to urandom
      + close($urandom)  # it is attached
      + open_tree(AT_FDCWD, "/dev/tty", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $tty  # the host's /dev/tty
      + mount_setattr($tty, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC, attr_clr=0}, 32)  # make it readonly, noSuid, noExec
      + mknodat($dev, "tty", S_IFREG|0666, makedev(0, 0))  # a file to mount tty on
      + move_mount($tty, "", $dev, "tty", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to tty
      + close($tty)  # it is attached
        label()  # stderr is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      - read($answer, &kept, 1), if == 1 go to ‹this process is kept›  # wait until the keeper has it
      + read(4, &kept, 1) (ECONNRESET is fine)  # wait until the keeper has it
      + add($kept, 0), if == 107 go to ‹this process is kept›  # has it?
        label()  # there are no more
      - setgroups(0, NULL) (EPERM is fine)  # the caller's further groups are not the container's
      "
    `);
  });
  it('user: new, and the network of the host, whose sysfs is then not for it to mount', () => {
    const maps = [{ inside: 0, outside: 100_000, count: 65_536 }];
    const options = (net: 'new' | 'host'): ContainerOptions => ({
      ...base,
      namespaces: { ...base.namespaces, user: 'new', ipc: 'new', net },
      uidMap: maps,
      gidMap: maps,
    });
    expect(`\n${changes(plan([...command], options('new')), plan([...command], options('host')))}\n`).toMatchInlineSnapshot(`
      "
        setresuid(0, 0, 0)  # user 0
      - clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWPID|CLONE_NEWNET|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
      + clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
        sethostname("container", 9)  # the host name
      - socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, 0) = $socket  # any socket, to speak of network devices
      - ioctl($socket, SIOCSIFFLAGS, {ifr_name="lo", ifr_flags=IFF_UP|IFF_RUNNING})  # switch on the loopback device
      - close($socket)  # the socket is not needed any more
        label()  # /sys is there
      - fsopen("sysfs", FSOPEN_CLOEXEC) = $new-sys  # a sysfs for /sys
      - fsconfig($new-sys, FSCONFIG_SET_STRING, "source", "sysfs", 0)  # set source
      - fsconfig($new-sys, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      - fsmount($new-sys, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC) = $sys  # a mount of it
      - close($new-sys)  # it has its mount
      + open_tree(AT_FDCWD, "/sys", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE) = $sys  # the host's /sys at /sys, read-only
      + mount_setattr($sys, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY, attr_clr=0}, 32)  # make it readonly
      "
    `);
  });
  it('joined, of a process and of a file', () => {
    expect(
      changed({
        namespaces: {
          net: { path: '/run/netns/blue' },
          uts: { pid: 4711 },
          ipc: { pid: 4711 },
          cgroup: { pid: 4711 },
          time: { pid: 4711 },
          pid: { pid: 4711 },
        },
      }),
    ).toMatchInlineSnapshot(`
      "
      - clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
      + prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # what runs there cannot look into this process
      + openat(AT_FDCWD, "/run/netns/blue", O_RDONLY|O_CLOEXEC) = $net  # a net namespace
      + setns($net, CLONE_NEWNET)  # join the net namespace
      + close($net)  # the file is not needed any more
      + pidfd_open(4711, 0) = $target  # hold on to process 4711
      + setns($target, CLONE_NEWUTS)  # join the uts namespace of process 4711
      + close($target)  # let go of it
      + pidfd_open(4711, 0) = $target  # hold on to process 4711
      + setns($target, CLONE_NEWIPC)  # join the ipc namespace of process 4711
      + close($target)  # let go of it
      + pidfd_open(4711, 0) = $target  # hold on to process 4711
      + setns($target, CLONE_NEWCGROUP)  # join the cgroup namespace of process 4711
      + close($target)  # let go of it
      + pidfd_open(4711, 0) = $target  # hold on to process 4711
      + setns($target, CLONE_NEWTIME)  # join the time namespace of process 4711
      + close($target)  # let go of it
      + pidfd_open(4711, 0) = $target  # hold on to process 4711
      + setns($target, CLONE_NEWPID)  # join the pid namespace of process 4711
      + close($target)  # let go of it
      + clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
        label()  # the host is alive
      + getpid() = $self  # the process to keep
        add($answer+4, 0)  # its end of the pipe
      - pidfd_open(1, 0)  # by what the keeper knows this process
      + pidfd_open($self, 0)  # by what the keeper knows this process
        umask(000)  # modes are as they are given
      - sethostname("container", 9)  # the host name
      "
    `);
  });
  it('joined: the user namespace first, which permits the others, and the mount namespace last, whose paths are those of others', () => {
    const { rootfs: _, ...rest } = base;
    const joined = plan(['/bin/true'], {
      ...rest,
      namespaces: { ...base.namespaces, mount: { pid: 4711 }, net: { path: '/run/netns/blue' }, user: { pid: 4711 }, pid: { path: '/proc/4711/ns/pid' } },
    });
    expect(`\n${changes(plan(['/bin/true'], { ...rest, namespaces: { ...base.namespaces, mount: 'host' } }), joined)}\n`).toMatchInlineSnapshot(`
      "
      - clone(CLONE_VM|CLONE_PARENT|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
      + socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0, &way)  # a way of its own to the keeper
      + setsockopt($way, 1, 16, "\\1\\0\\0\\0", 4)  # the kernel tells the keeper who writes there
      + add($way, 0)  # its end of the way
      + sendmsg(4, {msg_iov={iov_base="\\24\\1", iov_len=2}, msg_iovlen=1, msg_control="\\24\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", msg_controllen=20}, MSG_NOSIGNAL)  # the keeper gets its end
      + dup3($way+4, 4, O_CLOEXEC)  # this way is the one to the keeper from here on
      + close($way+4)  # one file is enough
      + close($way)  # the keeper alone can answer
      + prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # what runs there cannot look into this process
      + pidfd_open(4711, 0) = $target  # hold on to process 4711
      + setns($target, CLONE_NEWUSER)  # join the user namespace of process 4711
      + close($target)  # let go of it
      + setgroups(0, NULL) (EPERM is fine)  # supplementary groups (none)
      + setresgid(0, 0, 0)  # group 0
      + setresuid(0, 0, 0)  # user 0
      + openat(AT_FDCWD, "/run/netns/blue", O_RDONLY|O_CLOEXEC) = $net  # a net namespace
      + setns($net, CLONE_NEWNET)  # join the net namespace
      + close($net)  # the file is not needed any more
      + openat(AT_FDCWD, "/proc/4711/ns/pid", O_RDONLY|O_CLOEXEC) = $pid  # a pid namespace
      + setns($pid, CLONE_NEWPID)  # join the pid namespace
      + close($pid)  # the file is not needed any more
      + pidfd_open(4711, 0) = $target  # hold on to process 4711
      + setns($target, CLONE_NEWNS)  # join the mount namespace of process 4711
      + close($target)  # let go of it
      + clone(CLONE_VM|CLONE_PARENT|CLONE_PARENT_SETTID|CLONE_NEWUTS|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
        label()  # the host is alive
      - pipe2(&answer, O_CLOEXEC)  # by what the keeper answers
      - add($answer+4, 0)  # its end of the pipe
      - pidfd_open(1, 0)  # by what the keeper knows this process
      - sendmsg(4, {msg_iov={iov_base="\\30\\0", iov_len=2}, msg_iovlen=1, msg_control="\\30\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", msg_controllen=24}, MSG_NOSIGNAL)  # the keeper kills this process when the host ends
      - close($answer+4)  # the keeper alone can answer
      + sendmsg(4, {msg_iov={iov_base="k", iov_len=1}, msg_iovlen=1}, MSG_NOSIGNAL) (EPIPE is fine)  # the keeper kills this process when the host ends
        label()  # stderr is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      - read($answer, &kept, 1), if == 1 go to ‹this process is kept›  # wait until the keeper has it
      + read(4, &kept, 1) (ECONNRESET is fine)  # wait until the keeper has it
      + add($kept, 0), if == 107 go to ‹this process is kept›  # has it?
        label()  # there are no more
      - setgroups(0, NULL) (EPERM is fine)  # the caller's further groups are not the container's
      "
    `);
  });
});

describe('mounts', () => {
  it('a root that cannot be written', () => {
    expect(changed({ readonly: true })).toMatchInlineSnapshot(`
      "
        open_tree($directory, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH|AT_RECURSIVE) = $root  # a mount of it
      - mount_setattr($root, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_NODEV, attr_clr=0}, 32)  # make it noDev
      + mount_setattr($root, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NODEV, attr_clr=0}, 32)  # make it readonly, noDev
      + mount_setattr($root, "", AT_EMPTY_PATH, {attr_set=0, attr_clr=MOUNT_ATTR_RDONLY}, 32) (EPERM is fine)  # make it not readonly
        label()  # /proc/sysrq-trigger is read-only, if it exists
      + mount_setattr($root, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY, attr_clr=0}, 32)  # make it readonly
      "
    `);
  });
  it('a tmpfs', () => {
    expect(changed({ mounts: [{ tmpfs: '/var/cache', sizeBytes: 65_536 }] })).toMatchInlineSnapshot(`
      "
        close($mqueue)  # it is attached
      + openat2($root, "var/cache", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-cache (ENOENT, EAGAIN is fine), if != -2 go to ‹was it found?›  # find /var/cache
      + mkdirat($root, "var", 0755) (EEXIST is fine)  # make /var
      + openat2($root, "var", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $var (EAGAIN is fine), if == -11 go to ‹a rename or a mount came in between: try again›  # go down to /var
      + mkdirat($var, "cache", 0755) (EEXIST is fine)  # make /var/cache
      + close($var)  # it is not needed any more
      + openat2($root, "var/cache", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-cache (EAGAIN is fine)  # find what is now /var/cache
      + add($at-cache, 0) (EAGAIN is fine), if != -11 go to ‹/var/cache is there›  # was it found?
      + add($attempts, 1), if < 2048 go to ‹find /var/cache›  # a rename or a mount came in between: try again
      + fail(EAGAIN)  # find /var/cache
      + label()  # /var/cache is there
      + fsopen("tmpfs", FSOPEN_CLOEXEC) = $new-cache  # a tmpfs for /var/cache
      + fsconfig($new-cache, FSCONFIG_SET_STRING, "source", "tmpfs", 0)  # set source
      + fsconfig($new-cache, FSCONFIG_SET_STRING, "size", "65536", 0)  # set size
      + fsconfig($new-cache, FSCONFIG_SET_STRING, "nr_inodes", "1024", 0)  # set nr_inodes
      + fsconfig($new-cache, FSCONFIG_SET_STRING, "mode", "1777", 0)  # set mode
      + fsconfig($new-cache, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      + fsmount($new-cache, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV) = $cache  # a mount of it
      + close($new-cache)  # it has its mount
      + move_mount($cache, "", $at-cache, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /var/cache
      + close($cache)  # it is attached
      + close($at-cache)  # /var/cache is found
      "
    `);
  });
  it('a directory, read-only', () => {
    expect(changed({ mounts: [{ bind: '/usr', to: '/data/', readonly: true }] })).toMatchInlineSnapshot(`
      "
        close($mqueue)  # it is attached
      + openat2($root, "data", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-data (ENOENT, EAGAIN is fine), if != -2 go to ‹was it found?›  # find /data
      + mkdirat($root, "data", 0755) (EEXIST is fine)  # make /data
      + openat2($root, "data", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-data (EAGAIN is fine)  # find what is now /data
      + add($at-data, 0) (EAGAIN is fine), if != -11 go to ‹/data is there›  # was it found?
      + add($attempts, 1), if < 2048 go to ‹find /data›  # a rename or a mount came in between: try again
      + fail(EAGAIN)  # find /data
      + label()  # /data is there
      + open_tree(AT_FDCWD, "/usr", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE) = $data  # the host's /usr at /data, read-only
      + mount_setattr($data, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV, attr_clr=0}, 32)  # make it readonly, noSuid, noDev
      + move_mount($data, "", $at-data, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /data
      + close($data)  # it is attached
      + close($at-data)  # /data is found
      "
    `);
  });
  it('a file', () => {
    expect(changed({ mounts: [{ bind: '/etc/passwd', to: '/etc/users' }] })).toMatchInlineSnapshot(`
      "
        close($mqueue)  # it is attached
      + openat2($root, "etc/users", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-users (ENOENT, EAGAIN is fine), if != -2 go to ‹was it found?›  # find /etc/users
      + mkdirat($root, "etc", 0755) (EEXIST is fine)  # make /etc
      + openat2($root, "etc", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $etc (EAGAIN is fine), if == -11 go to ‹a rename or a mount came in between: try again›  # go down to /etc
      + mknodat($etc, "users", S_IFREG|0644, makedev(0, 0)) (EEXIST is fine)  # make /etc/users
      + close($etc)  # it is not needed any more
      + openat2($root, "etc/users", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-users (EAGAIN is fine)  # find what is now /etc/users
      + add($at-users, 0) (EAGAIN is fine), if != -11 go to ‹/etc/users is there›  # was it found?
      + add($attempts, 1), if < 2048 go to ‹find /etc/users›  # a rename or a mount came in between: try again
      + fail(EAGAIN)  # find /etc/users
      + label()  # /etc/users is there
      + open_tree(AT_FDCWD, "/etc/passwd", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE) = $users  # the host's /etc/passwd at /etc/users, writable
      + mount_setattr($users, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV, attr_clr=0}, 32)  # make it noSuid, noDev
      + move_mount($users, "", $at-users, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /etc/users
      + close($users)  # it is attached
      + close($at-users)  # /etc/users is found
      "
    `);
  });
});

describe('the process', () => {
  it('a user, and a directory to start in', () => {
    expect(changed({ user: { uid: 1000, gid: 100, groups: [4, 27] }, cwd: '/srv' })).toMatchInlineSnapshot(`
      "
        chdir("/")  # start at the new root
      - chdir("/")  # the directory to start in
      + openat2(AT_FDCWD, "/srv", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS}, 24) = $cwd  # the directory to start in
      + fchdir($cwd)  # start in /srv
      + statx(0, "", 4096, 257, &stat)  # the type of the file
      + add($stat+29, 0), if < 32 go to ‹the pipe belongs to user 1000›  # is it a pipe?
      + label(), if == 0 go to ‹stdin is a pipe, and a relay outside of the container moves what passes between it and the caller's file›  # it is none
      + fchown(0, 1000, -1) (any error is fine)  # the pipe belongs to user 1000
        label()  # stdin is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      + statx(1, "", 4096, 257, &stat)  # the type of the file
      + add($stat+29, 0), if < 32 go to ‹the pipe belongs to user 1000›  # is it a pipe?
      + label(), if == 0 go to ‹stdout is a pipe, and a relay outside of the container moves what passes between it and the caller's file›  # it is none
      + fchown(1, 1000, -1) (any error is fine)  # the pipe belongs to user 1000
        label()  # stdout is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      + statx(2, "", 4096, 257, &stat)  # the type of the file
      + add($stat+29, 0), if < 32 go to ‹the pipe belongs to user 1000›  # is it a pipe?
      + label(), if == 0 go to ‹stderr is a pipe, and a relay outside of the container moves what passes between it and the caller's file›  # it is none
      + fchown(2, 1000, -1) (any error is fine)  # the pipe belongs to user 1000
        label()  # there are no more
      - setgroups(0, NULL) (EPERM is fine)  # the caller's further groups are not the container's
      + setgroups(2, "\\4\\0\\0\\0\\33\\0\\0\\0")  # supplementary groups 4, 27
      + setresgid(100, 100, 100)  # group 100
      + setresuid(1000, 1000, 1000)  # user 1000
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)  # no capability comes with every program
      - capset({version=_LINUX_CAPABILITY_VERSION_3, pid=0}, {effective=CAP_CHOWN|CAP_DAC_OVERRIDE|CAP_FOWNER|CAP_FSETID|CAP_KILL|CAP_SETGID|CAP_SETUID|CAP_SETPCAP|CAP_NET_BIND_SERVICE|CAP_SYS_CHROOT|CAP_SETFCAP, permitted=CAP_CHOWN|CAP_DAC_OVERRIDE|CAP_FOWNER|CAP_FSETID|CAP_KILL|CAP_SETGID|CAP_SETUID|CAP_SETPCAP|CAP_NET_BIND_SERVICE|CAP_SYS_CHROOT|CAP_SETFCAP, inheritable=0})  # these capabilities and no other
      + capset({version=_LINUX_CAPABILITY_VERSION_3, pid=0}, {effective=0, permitted=0, inheritable=0})  # no capabilities
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # no program brings new rights with it
      + prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)  # die with the host
      + ppoll({fd=3, events=0x0}, 1, {}, NULL, 8), if == 0 go to ‹the host is alive›  # is the host still there?
      + exit_group(137)  # the host is gone
      + label()  # the host is alive
      "
    `);
  });
  it('a user without supplementary groups', () => {
    expect(changed({ user: { uid: 1000, gid: 100 } })).toMatchInlineSnapshot(`
      "
        chdir("/")  # the directory to start in
      + statx(0, "", 4096, 257, &stat)  # the type of the file
      + add($stat+29, 0), if < 32 go to ‹the pipe belongs to user 1000›  # is it a pipe?
      + label(), if == 0 go to ‹stdin is a pipe, and a relay outside of the container moves what passes between it and the caller's file›  # it is none
      + fchown(0, 1000, -1) (any error is fine)  # the pipe belongs to user 1000
        label()  # stdin is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      + statx(1, "", 4096, 257, &stat)  # the type of the file
      + add($stat+29, 0), if < 32 go to ‹the pipe belongs to user 1000›  # is it a pipe?
      + label(), if == 0 go to ‹stdout is a pipe, and a relay outside of the container moves what passes between it and the caller's file›  # it is none
      + fchown(1, 1000, -1) (any error is fine)  # the pipe belongs to user 1000
        label()  # stdout is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      + statx(2, "", 4096, 257, &stat)  # the type of the file
      + add($stat+29, 0), if < 32 go to ‹the pipe belongs to user 1000›  # is it a pipe?
      + label(), if == 0 go to ‹stderr is a pipe, and a relay outside of the container moves what passes between it and the caller's file›  # it is none
      + fchown(2, 1000, -1) (any error is fine)  # the pipe belongs to user 1000
        label()  # there are no more
      - setgroups(0, NULL) (EPERM is fine)  # the caller's further groups are not the container's
      + setgroups(0, NULL) (EPERM is fine)  # supplementary groups (none)
      + setresgid(100, 100, 100)  # group 100
      + setresuid(1000, 1000, 1000)  # user 1000
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)  # no capability comes with every program
      - capset({version=_LINUX_CAPABILITY_VERSION_3, pid=0}, {effective=CAP_CHOWN|CAP_DAC_OVERRIDE|CAP_FOWNER|CAP_FSETID|CAP_KILL|CAP_SETGID|CAP_SETUID|CAP_SETPCAP|CAP_NET_BIND_SERVICE|CAP_SYS_CHROOT|CAP_SETFCAP, permitted=CAP_CHOWN|CAP_DAC_OVERRIDE|CAP_FOWNER|CAP_FSETID|CAP_KILL|CAP_SETGID|CAP_SETUID|CAP_SETPCAP|CAP_NET_BIND_SERVICE|CAP_SYS_CHROOT|CAP_SETFCAP, inheritable=0})  # these capabilities and no other
      + capset({version=_LINUX_CAPABILITY_VERSION_3, pid=0}, {effective=0, permitted=0, inheritable=0})  # no capabilities
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # no program brings new rights with it
      + prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)  # die with the host
      + ppoll({fd=3, events=0x0}, 1, {}, NULL, 8), if == 0 go to ‹the host is alive›  # is the host still there?
      + exit_group(137)  # the host is gone
      + label()  # the host is alive
      "
    `);
  });
  it('an init process', () => {
    expect(changed({ init: true })).toMatchInlineSnapshot(`
      "
        label()  # the host is alive
      + write(3, "\\5\\0\\0\\0\\0\\0\\0\\0", 8) (any error is fine)  # tell the host which process stays
        seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=344, filter=&filter})  # the filter: 303 calls allowed, 6 by their arguments, the rest EPERM (344 instructions)
      + rt_sigprocmask(SIG_BLOCK, "'\\372\\373?\\0\\0\\0\\0", NULL, 8)  # signals wait until they are taken
      + prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # the program cannot look into this process
      + clone(SIGCHLD, NULL, NULL, NULL, NULL) = $program, if == 0 go to ‹the process of the program›  # a process for the program
      + close_range(3, 4294967295, 0)  # the set-up, and its reports, go on in the program alone
      + label()  # listen
      + rt_sigtimedwait("'\\372\\373?\\0\\0\\0\\0", NULL, NULL, 8) = $signal (EINTR is fine), if == 17 go to ‹reap what has ended›  # wait for a signal
      + kill($program, $signal) (any error is fine), if < 1 go to ‹listen›  # pass the signal on
      + wait4(-1, &status, WNOHANG|__WALL, NULL) = $ended (ECHILD is fine), if < 1 go to ‹listen›  # reap what has ended
      + add($ended, 0), if != $program go to ‹reap what has ended›  # was it the program?
      + add($status, 0), if == 0 go to ‹end with its exit code›  # did it exit by itself?
      + add($status, 0), if < 128 go to ‹128 and the signal›  # did it leave no core?
      + exit_group($status)  # the bit that says there is a core is 128
      + add($status, 128) = $code  # 128 and the signal
      + exit_group($code)  # end as a shell does for a signal
      + exit_group($status+1)  # end with its exit code
      + label()  # the process of the program
      + rt_sigprocmask(SIG_SETMASK, &no signals, NULL, 8)  # the program gets its signals
      "
    `);
  });
  it('an init process that is not the first of a pid namespace', () => {
    expect(changes(plan([...command], { ...base, init: true }), plan([...command], { ...base, init: true, namespaces: { ...base.namespaces, pid: 'host' } })))
      .toMatchInlineSnapshot(`
        "- clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
        + socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0, &way)  # a way of its own to the keeper
        + setsockopt($way, 1, 16, "\\1\\0\\0\\0", 4)  # the kernel tells the keeper who writes there
        + add($way, 0)  # its end of the way
        + sendmsg(4, {msg_iov={iov_base="\\24\\1", iov_len=2}, msg_iovlen=1, msg_control="\\24\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", msg_controllen=20}, MSG_NOSIGNAL)  # the keeper gets its end
        + dup3($way+4, 4, O_CLOEXEC)  # this way is the one to the keeper from here on
        + close($way+4)  # one file is enough
        + close($way)  # the keeper alone can answer
        + clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
          write(3, "\\5\\0\\0\\0\\0\\0\\0\\0", 8) (any error is fine)  # tell the host which process stays
        - pipe2(&answer, O_CLOEXEC)  # by what the keeper answers
        - add($answer+4, 0)  # its end of the pipe
        - pidfd_open(1, 0)  # by what the keeper knows this process
        - sendmsg(4, {msg_iov={iov_base="\\30\\0", iov_len=2}, msg_iovlen=1, msg_control="\\30\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", msg_controllen=24}, MSG_NOSIGNAL)  # the keeper kills this process when the host ends
        - close($answer+4)  # the keeper alone can answer
          label()  # stderr is a pipe, and a relay outside of the container moves what passes between it and the caller's file
        - read($answer, &kept, 1), if == 1 go to ‹this process is kept›  # wait until the keeper has it
        - fail(EMFILE)  # the keeper takes the process
        - label()  # this process is kept
          prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # no program brings new rights with it
        - close_range(4, 4294967295, 0)  # nothing that the set-up opened is open any more
        + close_range(5, 4294967295, 0)  # nothing that the set-up opened is open any more
          seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=344, filter=&filter})  # the filter: 303 calls allowed, 6 by their arguments, the rest EPERM (344 instructions)
        + prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphans come to this process
        + getpid() = $init  # the process that the program is tied to
          rt_sigprocmask(SIG_SETMASK, &no signals, NULL, 8)  # the program gets its signals
        + prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)  # die with the host
        + ppoll({fd=3, events=0x0}, 1, {}, NULL, 8), if == 0 go to ‹the host is alive›  # is the host still there?
        + exit_group(137)  # the host is gone
        + label()  # the host is alive
        + getppid(), if == $init go to ‹the init process is alive›  # is the init process still there?
        + exit_group(137)  # the init process is gone
        + label()  # the init process is alive
        + sendmsg(4, {msg_iov={iov_base="k", iov_len=1}, msg_iovlen=1}, MSG_NOSIGNAL) (EPIPE is fine)  # the keeper kills this process when the host ends
        + read(4, &kept, 1) (ECONNRESET is fine)  # wait until the keeper has it
        + add($kept, 0), if == 107 go to ‹this process is kept›  # has it?
        + fail(EMFILE)  # the keeper takes the process
        + label()  # this process is kept
        + close(4)  # the program has no way to the keeper"
      `);
  });
  it('a terminal', () => {
    expect(changed({ terminal: { columns: 80, rows: 24 } })).toMatchInlineSnapshot(`
      "
        close($mqueue)  # it is attached
      + openat($dev, "null", O_RDWR|O_CLOEXEC) = $null  # the null device of the container
      + dup3($null, 0, 0)  # stdin is the null device of the container
      + dup3($null, 1, 0)  # stdout is the null device of the container
      + dup3($null, 2, 0)  # stderr is the null device of the container
      + openat($dev, "pts/ptmx", O_RDWR|O_NOCTTY|O_CLOEXEC) = $master  # the master of a terminal
      + ioctl($master, TIOCSPTLCK, &unlocked)  # the slave may be opened
      + ioctl($master, TIOCGPTPEER, 524546) = $slave  # its slave, by the master and not by a path
      + ioctl($master, TIOCSWINSZ, {ws_row=24, ws_col=80})  # 80 columns and 24 rows
      + open_tree($slave, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $console  # the slave as a mount
      + mount_setattr($console, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC, attr_clr=0}, 32)  # make it readonly, noSuid, noExec
      + openat($dev, "console", O_RDONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600) = $place  # a file to mount it on
      + move_mount($console, "", $place, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it
      + add($master, 0)  # the host has the master
      + sendmsg(3, {msg_iov={iov_base="\\4\\0\\0\\0\\0\\0\\0\\0", iov_len=8}, msg_iovlen=1, msg_control={cmsg_len=20, cmsg_level=1, cmsg_type=1}, msg_controllen=24}, MSG_NOSIGNAL)  # the host has the master
        chdir("/")  # the directory to start in
      - label()  # stdin is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      - label()  # stdout is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      - label()  # stderr is a pipe, and a relay outside of the container moves what passes between it and the caller's file
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # no program brings new rights with it
      - close_range(4, 4294967295, 0)  # nothing that the set-up opened is open any more
      + add($slave, -1)  # all up to the terminal
      + close_range(4, $‹all up to the terminal›, 0) (EINVAL is fine)  # nothing that the set-up opened before it is open any more
      + add($slave, 1)  # and all after it
      + close_range($‹and all after it›, 4294967295, 0)  # nor what it opened after it
        setsid() (EPERM is fine)  # a session of its own: no signals and no input by way of the caller
      + ioctl($slave, TIOCSCTTY, NULL)  # the terminal of the session
      + dup3($slave, 0, 0)  # stdin is the terminal
      + dup3($slave, 1, 0)  # stdout is the terminal
      + dup3($slave, 2, 0)  # stderr is the terminal
      "
    `);
  });
  it('the keys and the session of the caller', () => {
    expect(changed({ sessionKeyring: 'inherit', session: 'inherit' })).toMatchInlineSnapshot(`
      "
        prlimit64(0, RLIMIT_CORE, {rlim_cur=0, rlim_max=0}, NULL)  # limit core
      - keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) (ENOSYS, EPERM is fine)  # a session keyring of its own
        seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=344, filter=&filter})  # the filter: 303 calls allowed, 6 by their arguments, the rest EPERM (344 instructions)
      - setsid() (EPERM is fine)  # a session of its own: no signals and no input by way of the caller
      "
    `);
    const rows = posture(plan([...command], { ...base, sessionKeyring: 'inherit', session: 'inherit' }));
    expect(rows.filter(({ item }) => ['keyring', 'session'].includes(item)).map(({ value }) => value)).toEqual(["the caller's", "the caller's"]);
    expect(() => plan([...command], { ...base, session: 'inherit', terminal: { columns: 80, rows: 24 } })).toThrow('a terminal belongs to a session');
    expect(() => plan([...command], { ...base, sessionKeyring: 'old' as 'new' })).toThrow("sessionKeyring is \"old\": 'new' or 'inherit'");
  });
  it('a terminal that another user gets', () => {
    const terminal = { columns: 80, rows: 24 };
    expect(changes(plan([...command], { ...base, terminal }), plan([...command], { ...base, terminal, user: { uid: 7, gid: 7 } }))).toMatchInlineSnapshot(`
      "  chdir("/")  # the directory to start in
      + fchown($slave, 7, -1) (EINVAL is fine)  # the terminal belongs to user 7
        label()  # there are no more
      - setgroups(0, NULL) (EPERM is fine)  # the caller's further groups are not the container's
      + setgroups(0, NULL) (EPERM is fine)  # supplementary groups (none)
      + setresgid(7, 7, 7)  # group 7
      + setresuid(7, 7, 7)  # user 7
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)  # no capability comes with every program
      - capset({version=_LINUX_CAPABILITY_VERSION_3, pid=0}, {effective=CAP_CHOWN|CAP_DAC_OVERRIDE|CAP_FOWNER|CAP_FSETID|CAP_KILL|CAP_SETGID|CAP_SETUID|CAP_SETPCAP|CAP_NET_BIND_SERVICE|CAP_SYS_CHROOT|CAP_SETFCAP, permitted=CAP_CHOWN|CAP_DAC_OVERRIDE|CAP_FOWNER|CAP_FSETID|CAP_KILL|CAP_SETGID|CAP_SETUID|CAP_SETPCAP|CAP_NET_BIND_SERVICE|CAP_SYS_CHROOT|CAP_SETFCAP, inheritable=0})  # these capabilities and no other
      + capset({version=_LINUX_CAPABILITY_VERSION_3, pid=0}, {effective=0, permitted=0, inheritable=0})  # no capabilities
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # no program brings new rights with it
      + prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)  # die with the host
      + ppoll({fd=3, events=0x0}, 1, {}, NULL, 8), if == 0 go to ‹the host is alive›  # is the host still there?
      + exit_group(137)  # the host is gone
      + label()  # the host is alive"
    `);
  });
});
