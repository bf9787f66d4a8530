import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { bindMount, setAttributes } from '@ctr/fs';

describe('setAttributes', () => {
  const { steps, mount } = bindMount('/srv', { as: 'srv' });

  it('sets and clears in one call', () => {
    expect(explain([...steps, ...setAttributes(mount, { readonly: true, noExec: false, noSymfollow: true })])).toMatchInlineSnapshot(`
      "1  open_tree(AT_FDCWD, "/srv", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $srv  # a mount of /srv
      2  mount_setattr($srv, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSYMFOLLOW, attr_clr=MOUNT_ATTR_NOEXEC}, 32)  # make it readonly, not noExec, noSymfollow"
    `);
  });

  it('clears all bits of the access time to set one', () => {
    const times = ['relatime', 'noatime', 'strictatime'] as const;
    expect(explain([...steps, ...times.flatMap((atime) => setAttributes(mount, { atime }, { recursive: true }))])).toMatchInlineSnapshot(`
      "1  open_tree(AT_FDCWD, "/srv", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $srv  # a mount of /srv
      2  mount_setattr($srv, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=0, attr_clr=MOUNT_ATTR_NOATIME|MOUNT_ATTR_STRICTATIME|0x40}, 32)  # make it relatime
      3  mount_setattr($srv, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_NOATIME, attr_clr=MOUNT_ATTR_NOATIME|MOUNT_ATTR_STRICTATIME|0x40}, 32)  # make it noatime
      4  mount_setattr($srv, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_STRICTATIME, attr_clr=MOUNT_ATTR_NOATIME|MOUNT_ATTR_STRICTATIME|0x40}, 32)  # make it strictatime"
    `);
  });

  it('makes no call for nothing', () => {
    expect(setAttributes(mount, {})).toEqual([]);
  });

  it('refuses a time that does not exist', () => {
    expect(() => setAttributes(mount, { atime: 'nodiratime' as 'noatime' })).toThrow(
      new RangeError('atime is "nodiratime": it has to be one of relatime, noatime, strictatime'),
    );
  });
});
