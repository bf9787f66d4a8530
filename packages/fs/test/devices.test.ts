import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { boundDevice, device, devices, tmpfsMount } from '@ctr/fs';

const { steps, mount } = tmpfsMount({ noDev: false, as: 'dev' });
const shown = (plan: Parameters<typeof explain>[0]): string =>
  explain([...steps, ...plan])
    .split('\n')
    .slice(steps.length)
    .join('\n');

describe('devices', () => {
  it('are made, with their mode whatever the umask is', () => {
    expect(shown(devices(mount, { nodes: 'make' }))).toMatchInlineSnapshot(`
      " 6  umask(000) = $umask  # devices get exactly the mode they should have
       7  mknodat($dev, "null", S_IFCHR|0666, makedev(1, 3))  # make the device null
       8  mknodat($dev, "zero", S_IFCHR|0666, makedev(1, 5))  # make the device zero
       9  mknodat($dev, "full", S_IFCHR|0666, makedev(1, 7))  # make the device full
      10  mknodat($dev, "random", S_IFCHR|0666, makedev(1, 8))  # make the device random
      11  mknodat($dev, "urandom", S_IFCHR|0666, makedev(1, 9))  # make the device urandom
      12  mknodat($dev, "tty", S_IFCHR|0666, makedev(5, 0))  # make the device tty
      13  umask($umask)  # the umask is as before
      14  symlinkat("/proc/self/fd", $dev, "fd")  # fd leads to /proc/self/fd
      15  symlinkat("/proc/self/fd/0", $dev, "stdin")  # stdin leads to /proc/self/fd/0
      16  symlinkat("/proc/self/fd/1", $dev, "stdout")  # stdout leads to /proc/self/fd/1
      17  symlinkat("/proc/self/fd/2", $dev, "stderr")  # stderr leads to /proc/self/fd/2
      18  symlinkat("pts/ptmx", $dev, "ptmx")  # ptmx leads to pts/ptmx"
    `);
  });

  it('are those of the host, bound', () => {
    expect(shown(devices(mount, { nodes: 'bind' }))).toMatchInlineSnapshot(`
      " 6  umask(000) = $umask  # devices get exactly the mode they should have
       7  open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $null  # the host's /dev/null
       8  mount_setattr($null, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC, attr_clr=0}, 32)  # make it readonly, noSuid, noExec
       9  mknodat($dev, "null", S_IFREG|0666, makedev(0, 0))  # a file to mount null on
      10  move_mount($null, "", $dev, "null", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to null
      11  close($null)  # it is attached
      12  open_tree(AT_FDCWD, "/dev/zero", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $zero  # the host's /dev/zero
      13  mount_setattr($zero, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC, attr_clr=0}, 32)  # make it readonly, noSuid, noExec
      14  mknodat($dev, "zero", S_IFREG|0666, makedev(0, 0))  # a file to mount zero on
      15  move_mount($zero, "", $dev, "zero", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to zero
      16  close($zero)  # it is attached
      17  open_tree(AT_FDCWD, "/dev/full", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $full  # the host's /dev/full
      18  mount_setattr($full, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC, attr_clr=0}, 32)  # make it readonly, noSuid, noExec
      19  mknodat($dev, "full", S_IFREG|0666, makedev(0, 0))  # a file to mount full on
      20  move_mount($full, "", $dev, "full", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to full
      21  close($full)  # it is attached
      22  open_tree(AT_FDCWD, "/dev/random", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $random  # the host's /dev/random
      23  mount_setattr($random, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC, attr_clr=0}, 32)  # make it readonly, noSuid, noExec
      24  mknodat($dev, "random", S_IFREG|0666, makedev(0, 0))  # a file to mount random on
      25  move_mount($random, "", $dev, "random", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to random
      26  close($random)  # it is attached
      27  open_tree(AT_FDCWD, "/dev/urandom", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $urandom  # the host's /dev/urandom
      28  mount_setattr($urandom, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC, attr_clr=0}, 32)  # make it readonly, noSuid, noExec
      29  mknodat($dev, "urandom", S_IFREG|0666, makedev(0, 0))  # a file to mount urandom on
      30  move_mount($urandom, "", $dev, "urandom", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to urandom
      31  close($urandom)  # it is attached
      32  open_tree(AT_FDCWD, "/dev/tty", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $tty  # the host's /dev/tty
      33  mount_setattr($tty, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC, attr_clr=0}, 32)  # make it readonly, noSuid, noExec
      34  mknodat($dev, "tty", S_IFREG|0666, makedev(0, 0))  # a file to mount tty on
      35  move_mount($tty, "", $dev, "tty", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to tty
      36  close($tty)  # it is attached
      37  umask($umask)  # the umask is as before
      38  symlinkat("/proc/self/fd", $dev, "fd")  # fd leads to /proc/self/fd
      39  symlinkat("/proc/self/fd/0", $dev, "stdin")  # stdin leads to /proc/self/fd/0
      40  symlinkat("/proc/self/fd/1", $dev, "stdout")  # stdout leads to /proc/self/fd/1
      41  symlinkat("/proc/self/fd/2", $dev, "stderr")  # stderr leads to /proc/self/fd/2
      42  symlinkat("pts/ptmx", $dev, "ptmx")  # ptmx leads to pts/ptmx"
    `);
  });

  it('refuse a third way', () => {
    expect(() => devices(mount, { nodes: 'copy' as 'make' })).toThrow(new RangeError('nodes is "copy": it has to be one of make, bind'));
  });
});

describe('device', () => {
  it('numbers a device as the kernel does', () => {
    expect(shown([device(mount, 'big', { type: 'block', major: 0xabc, minor: 0xdef12, mode: 0o600 }), device(mount, 'fifo', { type: 'fifo' })]))
      .toMatchInlineSnapshot(`
        "6  mknodat($dev, "big", S_IFBLK|0600, makedev(2748, 913170))  # make the device big
        7  mknodat($dev, "fifo", S_IFIFO|0666, makedev(0, 0))  # make the device fifo"
      `);
  });

  it('refuses a device without a number, or with one that is none', () => {
    expect(() => device(mount, 'x', { major: 1 })).toThrow(new TypeError('the device x needs a major and a minor number'));
    expect(() => device(mount, 'x', { major: 4096, minor: 0 })).toThrow(RangeError);
    expect(() => device(mount, 'x', { major: 1, minor: 2 ** 20 })).toThrow(RangeError);
  });

  it('refuses a name that is a path', () => {
    for (const name of ['', '.', '..', 'a/b', '/dev/x', 'a\0']) {
      expect(() => device(mount, name, { major: 1, minor: 3 })).toThrow(/is not the name of one file in a directory/);
      expect(() => boundDevice('/dev/null', mount, name)).toThrow(RangeError);
    }
  });
});
