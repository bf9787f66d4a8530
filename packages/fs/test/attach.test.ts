import { explain } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { attach, attachBelow, openPlace, tmpfsMount, unmount } from '@ctr/fs';

it('attach takes two open files', () => {
  const { steps, mount } = tmpfsMount();
  const place = openPlace('/mnt');
  expect(explain([...steps, ...place.steps, ...attach(mount, place.fd)])).toMatchInlineSnapshot(`
    "1  fsopen("tmpfs", FSOPEN_CLOEXEC) = $new-tmpfs  # a new tmpfs
    2  fsconfig($new-tmpfs, FSCONFIG_SET_STRING, "source", "tmpfs", 0)  # set source
    3  fsconfig($new-tmpfs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
    4  fsmount($new-tmpfs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV) = $tmpfs  # a mount of it
    5  close($new-tmpfs)  # it has its mount
    6  openat(AT_FDCWD, "/mnt", O_DIRECTORY|O_CLOEXEC|O_PATH) = $at-mnt  # find /mnt
    7  move_mount($tmpfs, "", $at-mnt, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it"
  `);
});

it('attachBelow takes a path below an open directory', () => {
  const { steps, mount } = tmpfsMount();
  const place = openPlace('/mnt');
  expect(
    explain([...steps, ...place.steps, attachBelow(mount, place.fd, 'a/b')])
      .split('\n')
      .at(-1),
  ).toMatchInlineSnapshot(`"7  move_mount($tmpfs, "", $at-mnt, "a/b", MOVE_MOUNT_F_EMPTY_PATH)  # attach it to a/b"`);
  for (const path of ['', '/a', '../a', 'a/..', 'a\0']) expect(() => attachBelow(mount, place.fd, path)).toThrow(/^the path /);
});

it('unmount follows no link', () => {
  expect(explain([...unmount('/mnt'), ...unmount('/srv', { detach: true })])).toMatchInlineSnapshot(`
    "1  umount2("/mnt", UMOUNT_NOFOLLOW)  # unmount /mnt
    2  umount2("/srv", MNT_DETACH|UMOUNT_NOFOLLOW)  # unmount /srv"
  `);
  expect(() => unmount('')).toThrow(TypeError);
  expect(() => unmount('/mnt', { lazy: true } as object)).toThrow(TypeError);
});
