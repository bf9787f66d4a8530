import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { handOverListener, seccomp } from '@ctr/security';

describe('handOverListener', () => {
  it('loads the filter, hands its listener over, keeps none and waits', () => {
    const filter = seccomp({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdirat'], action: 'SCMP_ACT_NOTIFY' }] }, { arch: 'x64' });
    expect(`\n${explain(handOverListener(filter))}\n`).toMatchInlineSnapshot(`
      "
      1  seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, {len=10, filter=&filter}) = $listener  # the filter: 1 call restricted, the rest allowed (10 instructions)
      2  add($listener, 0)  # who answers the calls that the filter asks about
      3  sendmsg(3, {msg_iov={iov_base="\\4\\0\\0\\0\\0\\0\\0\\0", iov_len=8}, msg_iovlen=1, msg_control={cmsg_len=20, cmsg_level=1, cmsg_type=1}, msg_controllen=24}, MSG_NOSIGNAL)  # who answers the calls that the filter asks about
      4  write(3, "\\2\\0\\0\\0\\0\\0\\0\\0", 8)  # tell the host: answer from here on
      5  read(3, &answer, 1), if == 1 go to 7  # wait for the host: answer from here on
      6  fail(EPIPE)  # the host is gone
      7  label()  # the host has answered
      8  close($listener)  # nobody else answers
      "
    `);
  });

  it('refuses a filter without one', () => {
    expect(() => handOverListener(seccomp({ defaultAction: 'SCMP_ACT_ALLOW' }))).toThrow(TypeError);
    expect(() => handOverListener([])).toThrow('SCMP_ACT_NOTIFY');
  });
});
