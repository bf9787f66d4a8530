import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { bindMount, knownMounts, mask, procMount } from '@ctr/fs';

const root = bindMount('/srv/root', { as: 'root' });

describe('mask', () => {
  it('checks the null device, and hides whatever is there: where links may be, in spite of renames', () => {
    expect(explain([...root.steps, ...mask(root.mount, ['/proc/kcore', '/proc/acpi'], { plain: ['/proc/acpi'] })])).toMatchInlineSnapshot(`
      " 1  open_tree(AT_FDCWD, "/srv/root", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $root  # a mount of /srv/root
       2  open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $null  # the null device, to cover files with
       3  statx($null, "", 4096, 3, &stat)  # is /dev/null the null device?
       4  add($stat+29, 0), if != 33 go to 6  # is it a character device?
       5  add($stat+128, 0), if == 12884901889 go to 7  # is it 1:3?
       6  fail(ENODEV)  # /dev/null has to be the null device
       7  label()  # /dev/null is the null device
       8  mount_setattr($null, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC, attr_clr=0}, 32)  # make it readonly, noSuid, noExec
       9  fsopen("tmpfs", FSOPEN_CLOEXEC) = $new-empty  # an empty directory, to cover directories with
      10  fsconfig($new-empty, FSCONFIG_SET_STRING, "source", "tmpfs", 0)  # set source
      11  fsconfig($new-empty, FSCONFIG_SET_STRING, "mode", "755", 0)  # set mode
      12  fsconfig($new-empty, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      13  fsmount($new-empty, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC) = $empty  # a mount of it
      14  close($new-empty)  # it has its mount
      15  add($empty, 0) = $empty  # the first cover of a directory
      16  openat2($root, "proc/kcore", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-kcore (ENOENT, ENOTDIR, EAGAIN is fine), if != -11 go to 19  # find /proc/kcore, if it is there
      17  add($attempts, 1), if < 2048 go to 16  # a rename or a mount came in between: try again
      18  fail(EAGAIN)  # find /proc/kcore
      19  add($at-kcore, 0) (ENOENT, ENOTDIR is fine), if < 0 go to 29  # is it there?
      20  move_mount($empty, "", $at-kcore, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH) (EINVAL is fine), if != 0 go to 24  # hide the directory /proc/kcore
      21  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      22  close($empty)  # the cover is where it belongs
      23  add($next, 0) = $empty, if != -1 go to 28  # the next one
      24  move_mount($null, "", $at-kcore, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # hide the file /proc/kcore
      25  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      26  close($null)  # the cover is where it belongs
      27  add($next, 0) = $null  # the next one
      28  close($at-kcore)  # /proc/kcore is hidden
      29  label()  # /proc/kcore is hidden, if it exists
      30  openat2($root, "proc/acpi", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-acpi (ENOENT, ENOTDIR, EAGAIN is fine), if != -11 go to 33  # find /proc/acpi, if it is there
      31  add($attempts, 1), if < 2048 go to 30  # a rename or a mount came in between: try again
      32  fail(EAGAIN)  # find /proc/acpi
      33  add($at-acpi, 0) (ENOENT, ENOTDIR is fine), if < 0 go to 43  # is it there?
      34  move_mount($empty, "", $at-acpi, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH) (EINVAL is fine), if != 0 go to 38  # hide the directory /proc/acpi
      35  open_tree($empty, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next directory
      36  close($empty)  # the cover is where it belongs
      37  add($next, 0) = $empty, if != -1 go to 42  # the next one
      38  move_mount($null, "", $at-acpi, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # hide the file /proc/acpi
      39  open_tree($null, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = $next  # a cover for the next file
      40  close($null)  # the cover is where it belongs
      41  add($next, 0) = $null  # the next one
      42  close($at-acpi)  # /proc/acpi is hidden
      43  label()  # /proc/acpi is hidden, if it exists"
    `);
  });

  it('looks for what is in a known mount from there', () => {
    const proc = procMount();
    const text = explain([
      ...root.steps,
      ...proc.steps,
      ...mask(root.mount, ['/proc/kcore', '/proc', '/process/x', '/etc/x'], { mounts: { '/proc': proc.mount } }),
    ]);
    expect(text.match(/(openat2\(\S+ "[^"]*", \{flags=O_C|open_tree\(\$proc, "")/g)).toEqual([
      'openat2($proc, "kcore", {flags=O_C',
      'open_tree($proc, ""',
      'openat2($root, "process/x", {flags=O_C',
      'openat2($root, "etc/x", {flags=O_C',
    ]);
    expect(text).toContain('# hide the file /proc/kcore');
  });

  it('does nothing for nothing', () => {
    expect(mask(root.mount, [])).toEqual([]);
  });

  it('refuses what is no path below the root', () => {
    expect(() => mask(root.mount, ['/proc/../etc'])).toThrow(RangeError);
    expect(() => mask(root.mount, ['/proc/kcore'], { nullDevice: '' })).toThrow(TypeError);
    expect(() => mask(root.mount, ['/proc/kcore'], { null: '/dev/null' } as object)).toThrow(TypeError);
  });

  it('looks for what is in the nearest mount from there, and below the root only where a link leads out of that mount', () => {
    const proc = procMount();
    const volume = bindMount('/srv/volume', { as: 'volume' });
    const mounts = knownMounts([
      ['/sys/fs', proc.mount],
      ['/sys', proc.mount],
      ['/sys/kernel', { mount: volume.mount, links: 'may-lead-out' }],
    ]);
    const text = explain([...root.steps, ...proc.steps, ...volume.steps, ...mask(root.mount, ['/sys/kernel/x', '/sys/fs/y'], { mounts })]);
    expect(text.match(/openat2\(\S+ "[^"]*", \S+ \S+ \d+\)/g)).toEqual([
      'openat2($volume, "x", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_BENEATH}, 24)',
      'openat2($root, "sys/kernel/x", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24)',
      'openat2($proc, "fs/y", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24)',
    ]);
  });
});
