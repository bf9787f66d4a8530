import { explain, Fd } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { join, joinPath } from '@ctr/namespaces';

describe('join', () => {
  it('of a pid holds on to the process while it joins', () => {
    expect(explain(join(4711, 'user', 'mount', 'pid'))).toMatchInlineSnapshot(`
      "1  pidfd_open(4711, 0) = $target  # hold on to process 4711
      2  setns($target, CLONE_NEWNS|CLONE_NEWUSER|CLONE_NEWPID)  # join the user, mount and pid namespaces of process 4711
      3  close($target)  # let go of it"
    `);
  });

  it('of a file is one call', () => {
    const pidfd = new Fd(1_000_000, 'pidfd of 4711');
    expect(explain(join(pidfd, 'net'))).toMatchInlineSnapshot(
      `"1  setns(1000000<pidfd of 4711>, CLONE_NEWNET)  # join the net namespace of 1000000<pidfd of 4711>"`,
    );
  });

  it('refuses what is no pid, and no kind at all', () => {
    for (const pid of [0, -1, 1.5, 2 ** 31, Number.NaN]) expect(() => join(pid, 'net')).toThrow(new RangeError(`${pid} is not the pid of a process`));
    expect(() => join(1)).toThrow(new TypeError('join: no kind of namespace is named'));
    expect(() => join(1, 'net', 'net')).toThrow('named twice');
  });
});

describe('joinPath', () => {
  it('opens, joins and closes', () => {
    expect(explain(joinPath('/run/netns/blue', 'net'))).toMatchInlineSnapshot(`
      "1  openat(AT_FDCWD, "/run/netns/blue", O_RDONLY|O_CLOEXEC) = $net  # a net namespace
      2  setns($net, CLONE_NEWNET)  # join the net namespace
      3  close($net)  # the file is not needed any more"
    `);
  });
});
