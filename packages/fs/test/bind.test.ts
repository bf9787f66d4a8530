import { explain, label, openFd } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { bind, bindMount, inRoot } from '@ctr/fs';

describe('bind', () => {
  it('copies a mount, changes the copy, and attaches it', () => {
    expect(explain(bind('/usr', '/mnt', { recursive: true, readonly: true, noSuid: true }))).toMatchInlineSnapshot(`
      "1  openat(AT_FDCWD, "/mnt", O_DIRECTORY|O_CLOEXEC|O_PATH) = $at-mnt  # find /mnt
      2  open_tree(AT_FDCWD, "/usr", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE) = $mnt  # a mount of /usr
      3  mount_setattr($mnt, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID, attr_clr=0}, 32)  # make it readonly, noSuid
      4  move_mount($mnt, "", $at-mnt, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /mnt
      5  close($mnt)  # it is attached
      6  close($at-mnt)  # /mnt is found"
    `);
  });

  it('makes a file for a file', () => {
    const root = bindMount('/srv/root', { as: 'root' });
    expect(explain([...root.steps, ...bind('/etc/hosts', inRoot(root.mount, '/etc/hosts'), { kind: 'file' })])).toMatchInlineSnapshot(`
      " 1  open_tree(AT_FDCWD, "/srv/root", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $root  # a mount of /srv/root
       2  openat2($root, "etc/hosts", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-hosts (ENOENT, EAGAIN is fine), if != -2 go to 8  # find /etc/hosts
       3  mkdirat($root, "etc", 0755) (EEXIST is fine)  # make /etc
       4  openat2($root, "etc", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $etc (EAGAIN is fine), if == -11 go to 9  # go down to /etc
       5  mknodat($etc, "hosts", S_IFREG|0644, makedev(0, 0)) (EEXIST is fine)  # make /etc/hosts
       6  close($etc)  # it is not needed any more
       7  openat2($root, "etc/hosts", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-hosts (EAGAIN is fine)  # find what is now /etc/hosts
       8  add($at-hosts, 0) (EAGAIN is fine), if != -11 go to 11  # was it found?
       9  add($attempts, 1), if < 2048 go to 2  # a rename or a mount came in between: try again
      10  fail(EAGAIN)  # find /etc/hosts
      11  label()  # /etc/hosts is there
      12  open_tree(AT_FDCWD, "/etc/hosts", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $hosts  # a mount of /etc/hosts
      13  move_mount($hosts, "", $at-hosts, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /etc/hosts
      14  close($hosts)  # it is attached
      15  close($at-hosts)  # /etc/hosts is found"
    `);
  });

  it('maps owners before anybody sees the mount', () => {
    using userNamespace = openFd('/proc/self/ns/user');
    const shown = explain(bind('/srv', '/mnt', { idMap: userNamespace, recursive: true }));
    expect(shown.replaceAll(String(userNamespace), '9</proc/self/ns/user>')).toMatchInlineSnapshot(`
      "1  openat(AT_FDCWD, "/mnt", O_DIRECTORY|O_CLOEXEC|O_PATH) = $at-mnt  # find /mnt
      2  open_tree(AT_FDCWD, "/srv", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE) = $mnt  # a mount of /srv
      3  add(9</proc/self/ns/user>, 0)  # the user namespace whose map is taken
      4  mount_setattr($mnt, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_IDMAP}, 32)  # map the owners of its files
      5  move_mount($mnt, "", $at-mnt, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /mnt
      6  close($mnt)  # it is attached
      7  close($at-mnt)  # /mnt is found"
    `);
  });

  it('goes on elsewhere if one of the steps of the mount fails', () => {
    const instead = label('do without');
    const { steps } = bindMount('/srv', { readonly: true, onFailure: instead });
    expect(steps.map(({ onFailure }) => onFailure)).toEqual([instead, instead]);
  });

  it('refuses what cannot be', () => {
    expect(() => bind('', '/mnt')).toThrow(new TypeError('the path is empty'));
    expect(() => bind('/srv', '/mnt\0')).toThrow(new RangeError(String.raw`the path "/mnt\u0000" has a NUL byte in it`));
    expect(() => bind('/srv', '/mnt', { kind: 'socket' as 'file' })).toThrow(RangeError);
    expect(() => bind('/srv', '/mnt', { recursiv: true } as object)).toThrow(new TypeError('bind: there is no option "recursiv": did you mean recursive?'));
  });
});
