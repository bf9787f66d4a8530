import { launch } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { create, loopbackUp, mapOwnIds } from '@ctr/namespaces';

import { launched, rejection, script } from '../../../test/support/launched.js';

describe('loopbackUp', () => {
  it('switches on the loopback device of a new network namespace, by which a program can then talk to itself', async () => {
    // /sys shows the devices of the network namespace in which it was mounted; SIOCGIFFLAGS and /proc/net those of the process.
    const program = script('/bin/busybox ip -o link show lo; /bin/busybox ping -c 1 -W 5 127.0.0.1 >/dev/null && echo answered');
    const down = await launched([...create('net'), ...program]);
    expect(down.output).not.toMatch(/<[^>]*\bUP\b[^>]*>|answered/);
    const up = await launched([...create('net'), ...loopbackUp(), ...program]);
    expect(up.output).toMatch(/\blo: <LOOPBACK,UP,LOWER_UP> /);
    expect(up.output).toMatch(/\nanswered$/);
  });

  it('does so for an ordinary user in a user namespace, and says what it needs', async () => {
    const id = [{ inside: 0, outside: 0, count: 1 }];
    const user = [...create('user'), ...mapOwnIds({ uids: id, gids: id })];
    const { output } = await launched([...user, ...create('net'), ...loopbackUp(), ...script('/bin/busybox ip -o link show lo')]);
    expect(output).toMatch(/\bUP\b/);
    const error = await rejection(launch([...user, ...loopbackUp()]));
    expect(error.message).toMatch(
      /^ioctl\(\$socket, SIOCSIFFLAGS, \{ifr_name="lo", ifr_flags=IFF_UP\|IFF_RUNNING\}\) = EPERM .*\nhint: the network namespace belongs to a user namespace in which the process has no CAP_NET_ADMIN/,
    );
  });
});
