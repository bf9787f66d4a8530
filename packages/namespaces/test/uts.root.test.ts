import { hostname as machine } from 'node:os';

import { launch } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { create, domainname, hostname, mapOwnIds } from '@ctr/namespaces';

import { launched, rejection, script } from '../../../test/support/launched.js';

describe('hostname and domainname', () => {
  it('are those of the new namespace, and of no other', async () => {
    const before = machine();
    const longest = 'h'.repeat(64);
    const { output } = await launched([
      ...create('uts'),
      ...hostname(longest),
      ...domainname('example.org'),
      ...script('/bin/busybox cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname'),
    ]);
    expect(output).toBe(`${longest}\nexample.org`);
    expect(machine()).toBe(before);
  });

  it('are not set without the right to', async () => {
    const id = [{ inside: 0, outside: 0, count: 1 }];
    const error = await rejection(launch([...create('user'), ...mapOwnIds({ uids: id, gids: id }), ...hostname('box')]));
    expect(error.message).toMatch(
      /^sethostname\("box", 3\) = EPERM .*: the host name\nhint: the UTS namespace belongs to a user namespace in which the process has no CAP_SYS_ADMIN/,
    );
  });
});
