import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { bindMount, inRoot, openPlace } from '@ctr/fs';

const root = bindMount('/srv/root', { as: 'root' });

describe('inRoot', () => {
  it('finds what is there with one call, and makes what is not by components', () => {
    const { steps } = openPlace(inRoot(root.mount, '//var/./run/', { mode: 0o700 }));
    expect(explain([...root.steps, ...steps])).toMatchInlineSnapshot(`
      " 1  open_tree(AT_FDCWD, "/srv/root", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $root  # a mount of /srv/root
       2  openat2($root, "var/run", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-run (ENOENT, EAGAIN is fine), if != -2 go to 8  # find /var/run
       3  mkdirat($root, "var", 0755) (EEXIST is fine)  # make /var
       4  openat2($root, "var", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $var (EAGAIN is fine), if == -11 go to 9  # go down to /var
       5  mkdirat($var, "run", 0700) (EEXIST is fine)  # make /var/run
       6  close($var)  # it is not needed any more
       7  openat2($root, "var/run", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-run (EAGAIN is fine)  # find what is now /var/run
       8  add($at-run, 0) (EAGAIN is fine), if != -11 go to 11  # was it found?
       9  add($attempts, 1), if < 2048 go to 2  # a rename or a mount came in between: try again
      10  fail(EAGAIN)  # find /var/run
      11  label()  # /var/run is there"
    `);
  });

  it('makes a file for a file, without opening it', () => {
    const { steps } = openPlace(inRoot(root.mount, '/hosts'), { directory: false });
    expect(explain([...root.steps, ...steps])).toMatchInlineSnapshot(`
      "1  open_tree(AT_FDCWD, "/srv/root", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $root  # a mount of /srv/root
      2  openat2($root, "hosts", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-hosts (ENOENT, EAGAIN is fine), if != -2 go to 5  # find /hosts
      3  mknodat($root, "hosts", S_IFREG|0644, makedev(0, 0)) (EEXIST is fine)  # make /hosts
      4  openat2($root, "hosts", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) = $at-hosts (EAGAIN is fine)  # find what is now /hosts
      5  add($at-hosts, 0) (EAGAIN is fine), if != -11 go to 8  # was it found?
      6  add($attempts, 1), if < 2048 go to 2  # a rename or a mount came in between: try again
      7  fail(EAGAIN)  # find /hosts
      8  label()  # /hosts is there"
    `);
  });

  it('makes nothing if it is told so', () => {
    const { steps } = openPlace(inRoot(root.mount, '/proc', { create: false, symlinks: 'refuse' }));
    expect(explain([...root.steps, ...steps])).toMatchInlineSnapshot(`
      "1  open_tree(AT_FDCWD, "/srv/root", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $root  # a mount of /srv/root
      2  openat2($root, "proc", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_IN_ROOT}, 24) = $at-proc (EAGAIN is fine)  # find /proc
      3  add($at-proc, 0) (EAGAIN is fine), if != -11 go to 6  # was it found?
      4  add($attempts, 1), if < 2048 go to 2  # a rename or a mount came in between: try again
      5  fail(EAGAIN)  # find /proc
      6  label()  # /proc is there"
    `);
  });

  it('is the root itself for a slash', () => {
    expect(openPlace(inRoot(root.mount, '/'))).toEqual({ steps: [], fd: root.mount });
  });

  it('refuses paths that are none', () => {
    expect(() => inRoot(root.mount, '')).toThrow(new TypeError('the path is empty'));
    expect(() => inRoot(root.mount, '/a/../../b')).toThrow(
      new RangeError('the path "/a/../../b" has a ".." in it: a place below a root is named from the root down'),
    );
    expect(() => inRoot(root.mount, '/a\0b')).toThrow(RangeError);
    expect(() => inRoot(root.mount, '/a', { mode: 0o40755 })).toThrow(RangeError);
    expect(() => inRoot(root.mount, '/a', { symlink: 'refuse' } as object)).toThrow(
      new TypeError('inRoot: there is no option "symlink": did you mean symlinks?'),
    );
    expect(inRoot(root.mount, '/a..b/...').path).toBe('a..b/...');
  });
});
