import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { devpts, devptsMount } from '@ctr/fs';

describe('devpts', () => {
  it('gives terminals to the group tty', () => {
    expect(explain(devpts('/dev/pts'))).toMatchInlineSnapshot(`
      " 1  openat(AT_FDCWD, "/dev/pts", O_DIRECTORY|O_CLOEXEC|O_PATH) = $at-pts  # find /dev/pts
       2  fsopen("devpts", FSOPEN_CLOEXEC) = $new-pts  # terminals for /dev/pts
       3  fsconfig($new-pts, FSCONFIG_SET_STRING, "source", "devpts", 0)  # set source
       4  fsconfig($new-pts, FSCONFIG_SET_STRING, "ptmxmode", "666", 0)  # set ptmxmode
       5  fsconfig($new-pts, FSCONFIG_SET_STRING, "mode", "620", 0)  # set mode
       6  fsconfig($new-pts, FSCONFIG_SET_STRING, "gid", "5", 0)  # set gid
       7  fsconfig($new-pts, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
       8  fsmount($new-pts, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC) = $pts  # a mount of it
       9  close($new-pts)  # it has its mount
      10  move_mount($pts, "", $at-pts, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /dev/pts
      11  close($pts)  # it is attached
      12  close($at-pts)  # /dev/pts is found"
    `);
  });

  it('names no group where none is mapped', () => {
    expect(explain(devptsMount({ gid: null, max: 4, ptmxMode: 0, mode: 0o600 }).steps)).toMatchInlineSnapshot(`
      "1  fsopen("devpts", FSOPEN_CLOEXEC) = $new-devpts  # a new devpts
      2  fsconfig($new-devpts, FSCONFIG_SET_STRING, "source", "devpts", 0)  # set source
      3  fsconfig($new-devpts, FSCONFIG_SET_STRING, "ptmxmode", "0", 0)  # set ptmxmode
      4  fsconfig($new-devpts, FSCONFIG_SET_STRING, "mode", "600", 0)  # set mode
      5  fsconfig($new-devpts, FSCONFIG_SET_STRING, "max", "4", 0)  # set max
      6  fsconfig($new-devpts, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      7  fsmount($new-devpts, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC) = $devpts  # a mount of it
      8  close($new-devpts)  # it has its mount"
    `);
  });

  it('refuses what is no group, mode or number', () => {
    expect(() => devpts('/dev/pts', { gid: -1 })).toThrow(new RangeError('gid is -1: it has to be an integer from 0 to 4294967294'));
    expect(() => devpts('/dev/pts', { mode: 0o10600 })).toThrow(RangeError);
    expect(() => devpts('/dev/pts', { max: 1.5 })).toThrow(RangeError);
  });
});
