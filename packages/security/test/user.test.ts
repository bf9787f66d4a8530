import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { becomeUser } from '@ctr/security';

describe('becomeUser', () => {
  it('sets the groups first and the user last', () => {
    expect(explain(becomeUser({ uid: 1000, gid: 100, groups: [10, 20], umask: 0o27, keepCapabilities: true }))).toMatchInlineSnapshot(`
      "1  setgroups(2, "\\n\\0\\0\\0\\24\\0\\0\\0")  # supplementary groups 10, 20
      2  setresgid(100, 100, 100)  # group 100
      3  prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)  # another user keeps what is permitted
      4  setresuid(1000, 1000, 1000)  # user 1000
      5  umask(027)  # permissions that new files do not have"
    `);
    expect(explain(becomeUser({ uid: 0, gid: 0 }))).toMatchInlineSnapshot(`
      "1  setgroups(0, NULL) (EPERM is fine)  # supplementary groups (none)
      2  setresgid(0, 0, 0)  # group 0
      3  setresuid(0, 0, 0)  # user 0"
    `);
  });

  it('takes ids, and nothing that is read as root by accident', () => {
    for (const id of [0, 1, 65534, 0xfffffffe]) expect(becomeUser({ uid: id, gid: id, groups: [id] })).toHaveLength(3);
    for (const id of [-1, 0xffffffff, 2 ** 32, 1.5, Number.NaN, '0', '1', null, undefined, true] as number[]) {
      expect(() => becomeUser({ uid: id, gid: 0 })).toThrow(/^the user id is .*: it has to be an integer from 0 to 4294967294$/);
      expect(() => becomeUser({ uid: 0, gid: id })).toThrow(/^the group id is /);
      expect(() => becomeUser({ uid: 0, gid: 0, groups: [1, id] })).toThrow(/^the id of a supplementary group is /);
    }
    expect(() => becomeUser({ uid: 0, gid: 0, umask: 0o1000 })).toThrow('the umask is 512: it has to be an integer from 0 to 511');
    expect(() => becomeUser({ uid: 0, gid: 0, groups: Array<number>(65537).fill(1) })).toThrow('a process has at most 65536 supplementary groups, not 65537');
    expect(() => becomeUser({ uid: 0, gid: 0, group: [] } as never)).toThrow('did you mean groups?');
  });
});
