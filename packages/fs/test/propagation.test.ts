import { explain } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { bindMount, propagation } from '@ctr/fs';

it('propagation is set by path, or for an open mount', () => {
  const { steps, mount } = bindMount('/srv', { as: 'srv' });
  const plan = [
    ...propagation('/', 'slave', { recursive: true }),
    ...steps,
    ...propagation(mount, 'unbindable'),
    ...propagation(mount, 'private', { recursive: true }),
  ];
  expect(explain(plan)).toMatchInlineSnapshot(`
    "1  mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, {propagation=MS_SLAVE}, 32)  # make / and all below slave
    2  open_tree(AT_FDCWD, "/srv", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) = $srv  # a mount of /srv
    3  mount_setattr($srv, "", AT_EMPTY_PATH, {propagation=MS_UNBINDABLE}, 32)  # make $srv unbindable
    4  mount_setattr($srv, "", AT_EMPTY_PATH|AT_RECURSIVE, {propagation=MS_PRIVATE}, 32)  # make $srv and all below private"
  `);
});

it('propagation refuses a kind that does not exist', () => {
  expect(() => propagation('/', 'rprivate' as 'private')).toThrow(
    new RangeError('propagation is "rprivate": it has to be one of private, slave, shared, unbindable'),
  );
});
