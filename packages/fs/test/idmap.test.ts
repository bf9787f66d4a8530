import { explain, openFd } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { bindMount, idmap } from '@ctr/fs';

it('idmap takes an open user namespace', () => {
  using userNamespace = openFd('/proc/self/ns/user');
  const { steps, mount } = bindMount('/srv', { as: 'srv' });
  const shown = explain([...steps, ...idmap(mount, userNamespace)]);
  expect(shown.replaceAll(String(userNamespace), '9</proc/self/ns/user>')).toMatchInlineSnapshot(`
    "1  open_tree(AT_FDCWD, "/srv", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $srv  # a mount of /srv
    2  add(9</proc/self/ns/user>, 0)  # the user namespace whose map is taken
    3  mount_setattr($srv, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_IDMAP}, 32)  # map the owners of its files"
  `);
});
