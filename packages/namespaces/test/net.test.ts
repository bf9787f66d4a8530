import { explain } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { loopbackUp } from '@ctr/namespaces';

it('loopbackUp is one ioctl on a socket', () => {
  expect(explain(loopbackUp())).toMatchInlineSnapshot(`
    "1  socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, 0) = $socket  # any socket, to speak of network devices
    2  ioctl($socket, SIOCSIFFLAGS, {ifr_name="lo", ifr_flags=IFF_UP|IFF_RUNNING})  # switch on the loopback device
    3  close($socket)  # the socket is not needed any more"
  `);
});
