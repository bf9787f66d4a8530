import { explain, Fd, Memory, resultOf, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import {
  landlock,
  landlockAbi,
  landlockGroups,
  landlockUnavailable,
  planLandlock,
  type LandlockAccess,
  type LandlockOptions,
  type LandlockRules,
} from '@ctr/security';

const explained = (rules: LandlockRules, options: LandlockOptions): string => `\n${explain(landlock(rules, options))}\n`;

describe('landlock', () => {
  it('makes a ruleset of everything that the ABI can deny, allows what the rules say, and enters it', () => {
    const rules: LandlockRules = {
      paths: [
        { path: '/usr', allow: ['read', 'execute'] },
        { path: '/run/maybe', allow: ['READ_FILE'], optional: true },
      ],
      tcp: { bind: [8080], connect: [443, 8080] },
      scopes: ['abstractUnixSocket', 'signal'],
    };
    expect(explained(rules, { abi: 7, log: { newExec: true } })).toMatchInlineSnapshot(`
      "
       1  landlock_create_ruleset({handled_access_fs=LANDLOCK_ACCESS_FS_EXECUTE|LANDLOCK_ACCESS_FS_WRITE_FILE|LANDLOCK_ACCESS_FS_READ_FILE|LANDLOCK_ACCESS_FS_READ_DIR|LANDLOCK_ACCESS_FS_REMOVE_DIR|LANDLOCK_ACCESS_FS_REMOVE_FILE|LANDLOCK_ACCESS_FS_MAKE_CHAR|LANDLOCK_ACCESS_FS_MAKE_DIR|LANDLOCK_ACCESS_FS_MAKE_REG|LANDLOCK_ACCESS_FS_MAKE_SOCK|LANDLOCK_ACCESS_FS_MAKE_FIFO|LANDLOCK_ACCESS_FS_MAKE_BLOCK|LANDLOCK_ACCESS_FS_MAKE_SYM|LANDLOCK_ACCESS_FS_REFER|LANDLOCK_ACCESS_FS_TRUNCATE|LANDLOCK_ACCESS_FS_IOCTL_DEV, handled_access_net=LANDLOCK_ACCESS_NET_BIND_TCP|LANDLOCK_ACCESS_NET_CONNECT_TCP, scoped=LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET|LANDLOCK_SCOPE_SIGNAL}, 24, 0) = $ruleset  # what is denied unless a rule allows it
       2  openat(AT_FDCWD, "/usr", O_CLOEXEC|O_PATH) = $usr  # find /usr
       3  landlock_add_rule($ruleset, LANDLOCK_RULE_PATH_BENEATH, {allowed_access=LANDLOCK_ACCESS_FS_EXECUTE|LANDLOCK_ACCESS_FS_READ_FILE|LANDLOCK_ACCESS_FS_READ_DIR}, 0) (EINVAL is fine), if != -22 go to 6  # allow it at /usr, if that is a directory
       4  add($usr, 0)  # it is a file: a rule without the rights of directories
       5  landlock_add_rule($ruleset, LANDLOCK_RULE_PATH_BENEATH, {allowed_access=LANDLOCK_ACCESS_FS_EXECUTE|LANDLOCK_ACCESS_FS_READ_FILE}, 0)  # allow at the file /usr what has a meaning there
       6  close($usr)  # /usr is not needed any more
       7  openat(AT_FDCWD, "/run/maybe", O_CLOEXEC|O_PATH) = $maybe (ENOENT, ENOTDIR is fine), if < 0 go to 10  # find /run/maybe
       8  landlock_add_rule($ruleset, LANDLOCK_RULE_PATH_BENEATH, {allowed_access=LANDLOCK_ACCESS_FS_READ_FILE}, 0)  # allow it at /run/maybe
       9  close($maybe)  # /run/maybe is not needed any more
      10  label()  # /run/maybe is allowed, if it exists
      11  landlock_add_rule($ruleset, LANDLOCK_RULE_NET_PORT, {allowed_access=LANDLOCK_ACCESS_NET_BIND_TCP|LANDLOCK_ACCESS_NET_CONNECT_TCP, port=8080}, 0)  # allow it at port 8080
      12  landlock_add_rule($ruleset, LANDLOCK_RULE_NET_PORT, {allowed_access=LANDLOCK_ACCESS_NET_CONNECT_TCP, port=443}, 0)  # allow it at port 443
      13  landlock_restrict_self($ruleset, LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON)  # no more than the rules allow from here on
      14  close($ruleset)  # the ruleset is in force
      "
    `);
  });

  it('takes what is open as it is', () => {
    const open: Step = { call: 'openat', args: [-100, '/', 0o10000000], purpose: 'open it', as: 'root' };
    const files = new Memory(8, 'files');
    const place = new Fd(1_000_000, '/srv');
    const paths: LandlockRules['paths'] = [
      { fd: resultOf(open), allow: ['read'] },
      { fd: files.i32(4), allow: ['READ_FILE'] },
      { fd: place, allow: ['write'] },
    ];
    expect(`\n${explain([open, ...landlock({ paths }, { abi: 3, handled: { paths: ['read', 'write'] } })])}\n`).toMatchInlineSnapshot(`
      "
       1  openat(AT_FDCWD, "/", O_PATH) = $root  # open it
       2  landlock_create_ruleset({handled_access_fs=LANDLOCK_ACCESS_FS_WRITE_FILE|LANDLOCK_ACCESS_FS_READ_FILE|LANDLOCK_ACCESS_FS_READ_DIR|LANDLOCK_ACCESS_FS_REMOVE_DIR|LANDLOCK_ACCESS_FS_REMOVE_FILE|LANDLOCK_ACCESS_FS_MAKE_DIR|LANDLOCK_ACCESS_FS_MAKE_REG|LANDLOCK_ACCESS_FS_MAKE_SOCK|LANDLOCK_ACCESS_FS_MAKE_FIFO|LANDLOCK_ACCESS_FS_MAKE_SYM|LANDLOCK_ACCESS_FS_REFER|LANDLOCK_ACCESS_FS_TRUNCATE}, 24, 0) = $ruleset  # what is denied unless a rule allows it
       3  add($root, 0)  # the rule is about $root
       4  landlock_add_rule($ruleset, LANDLOCK_RULE_PATH_BENEATH, {allowed_access=LANDLOCK_ACCESS_FS_READ_FILE|LANDLOCK_ACCESS_FS_READ_DIR}, 0) (EINVAL is fine), if != -22 go to 7  # allow it at $root, if that is a directory
       5  add($root, 0)  # it is a file: a rule without the rights of directories
       6  landlock_add_rule($ruleset, LANDLOCK_RULE_PATH_BENEATH, {allowed_access=LANDLOCK_ACCESS_FS_READ_FILE}, 0)  # allow at the file $root what has a meaning there
       7  label()  # $root is allowed
       8  add($files+4, 0)  # the rule is about an open file
       9  landlock_add_rule($ruleset, LANDLOCK_RULE_PATH_BENEATH, {allowed_access=LANDLOCK_ACCESS_FS_READ_FILE}, 0)  # allow it at an open file
      10  landlock_add_rule($ruleset, LANDLOCK_RULE_PATH_BENEATH, {allowed_access=LANDLOCK_ACCESS_FS_WRITE_FILE|LANDLOCK_ACCESS_FS_REMOVE_DIR|LANDLOCK_ACCESS_FS_REMOVE_FILE|LANDLOCK_ACCESS_FS_MAKE_DIR|LANDLOCK_ACCESS_FS_MAKE_REG|LANDLOCK_ACCESS_FS_MAKE_SOCK|LANDLOCK_ACCESS_FS_MAKE_FIFO|LANDLOCK_ACCESS_FS_MAKE_SYM|LANDLOCK_ACCESS_FS_REFER|LANDLOCK_ACCESS_FS_TRUNCATE, parent_fd=1000000</srv>}, 0) (EINVAL is fine), if != -22 go to 12  # allow it at /srv, if that is a directory
      11  landlock_add_rule($ruleset, LANDLOCK_RULE_PATH_BENEATH, {allowed_access=LANDLOCK_ACCESS_FS_WRITE_FILE|LANDLOCK_ACCESS_FS_TRUNCATE, parent_fd=1000000</srv>}, 0)  # allow at the file /srv what has a meaning there
      12  label()  # /srv is allowed
      13  landlock_restrict_self($ruleset, 0)  # no more than the rules allow from here on
      14  close($ruleset)  # the ruleset is in force
      "
    `);
  });

  it('has for an older ABI what that has, and says what it has not', () => {
    const rules: LandlockRules = { paths: [{ path: '/srv', allow: ['write'] }], tcp: { bind: [80] }, scopes: ['signal'] };
    const first = planLandlock(rules, { abi: 1, log: { sameExec: false, subdomains: false }, allThreads: true });
    expect(`\n${explain(first.steps)}\n`).toMatchInlineSnapshot(`
      "
      1  landlock_create_ruleset({handled_access_fs=LANDLOCK_ACCESS_FS_EXECUTE|LANDLOCK_ACCESS_FS_WRITE_FILE|LANDLOCK_ACCESS_FS_READ_FILE|LANDLOCK_ACCESS_FS_READ_DIR|LANDLOCK_ACCESS_FS_REMOVE_DIR|LANDLOCK_ACCESS_FS_REMOVE_FILE|LANDLOCK_ACCESS_FS_MAKE_CHAR|LANDLOCK_ACCESS_FS_MAKE_DIR|LANDLOCK_ACCESS_FS_MAKE_REG|LANDLOCK_ACCESS_FS_MAKE_SOCK|LANDLOCK_ACCESS_FS_MAKE_FIFO|LANDLOCK_ACCESS_FS_MAKE_BLOCK|LANDLOCK_ACCESS_FS_MAKE_SYM}, 24, 0) = $ruleset  # what is denied unless a rule allows it
      2  openat(AT_FDCWD, "/srv", O_CLOEXEC|O_PATH) = $srv  # find /srv
      3  landlock_add_rule($ruleset, LANDLOCK_RULE_PATH_BENEATH, {allowed_access=LANDLOCK_ACCESS_FS_WRITE_FILE|LANDLOCK_ACCESS_FS_REMOVE_DIR|LANDLOCK_ACCESS_FS_REMOVE_FILE|LANDLOCK_ACCESS_FS_MAKE_DIR|LANDLOCK_ACCESS_FS_MAKE_REG|LANDLOCK_ACCESS_FS_MAKE_SOCK|LANDLOCK_ACCESS_FS_MAKE_FIFO|LANDLOCK_ACCESS_FS_MAKE_SYM}, 0) (EINVAL is fine), if != -22 go to 6  # allow it at /srv, if that is a directory
      4  add($srv, 0)  # it is a file: a rule without the rights of directories
      5  landlock_add_rule($ruleset, LANDLOCK_RULE_PATH_BENEATH, {allowed_access=LANDLOCK_ACCESS_FS_WRITE_FILE}, 0)  # allow at the file /srv what has a meaning there
      6  close($srv)  # /srv is not needed any more
      7  landlock_restrict_self($ruleset, 0)  # no more than the rules allow from here on
      8  close($ruleset)  # the ruleset is in force
      "
    `);
    expect([first.abi, first.notEnforced, first.notAllowed]).toMatchInlineSnapshot(`
      [
        1,
        [
          "LANDLOCK_ACCESS_FS_TRUNCATE",
          "LANDLOCK_ACCESS_FS_IOCTL_DEV",
          "LANDLOCK_ACCESS_FS_RESOLVE_UNIX",
          "LANDLOCK_ACCESS_NET_BIND_TCP",
          "LANDLOCK_ACCESS_NET_CONNECT_TCP",
          "LANDLOCK_ACCESS_NET_BIND_UDP",
          "LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP",
          "LANDLOCK_SCOPE_SIGNAL",
          "LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF",
          "LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF",
          "LANDLOCK_RESTRICT_SELF_TSYNC",
        ],
        [
          "LANDLOCK_ACCESS_FS_REFER",
        ],
      ]
    `);
    const newest = planLandlock({ ...rules, udp: { bind: [0], connect: [53] } }, { abi: 10, allThreads: true });
    expect([newest.notEnforced, newest.notAllowed]).toEqual([[], []]);
    expect(`\n${explain(newest.steps)}\n`).toMatchInlineSnapshot(`
      "
       1  landlock_create_ruleset({handled_access_fs=LANDLOCK_ACCESS_FS_EXECUTE|LANDLOCK_ACCESS_FS_WRITE_FILE|LANDLOCK_ACCESS_FS_READ_FILE|LANDLOCK_ACCESS_FS_READ_DIR|LANDLOCK_ACCESS_FS_REMOVE_DIR|LANDLOCK_ACCESS_FS_REMOVE_FILE|LANDLOCK_ACCESS_FS_MAKE_CHAR|LANDLOCK_ACCESS_FS_MAKE_DIR|LANDLOCK_ACCESS_FS_MAKE_REG|LANDLOCK_ACCESS_FS_MAKE_SOCK|LANDLOCK_ACCESS_FS_MAKE_FIFO|LANDLOCK_ACCESS_FS_MAKE_BLOCK|LANDLOCK_ACCESS_FS_MAKE_SYM|LANDLOCK_ACCESS_FS_REFER|LANDLOCK_ACCESS_FS_TRUNCATE|LANDLOCK_ACCESS_FS_IOCTL_DEV|LANDLOCK_ACCESS_FS_RESOLVE_UNIX, handled_access_net=LANDLOCK_ACCESS_NET_BIND_TCP|LANDLOCK_ACCESS_NET_CONNECT_TCP|LANDLOCK_ACCESS_NET_BIND_UDP|LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP, scoped=LANDLOCK_SCOPE_SIGNAL}, 24, 0) = $ruleset  # what is denied unless a rule allows it
       2  openat(AT_FDCWD, "/srv", O_CLOEXEC|O_PATH) = $srv  # find /srv
       3  landlock_add_rule($ruleset, LANDLOCK_RULE_PATH_BENEATH, {allowed_access=LANDLOCK_ACCESS_FS_WRITE_FILE|LANDLOCK_ACCESS_FS_REMOVE_DIR|LANDLOCK_ACCESS_FS_REMOVE_FILE|LANDLOCK_ACCESS_FS_MAKE_DIR|LANDLOCK_ACCESS_FS_MAKE_REG|LANDLOCK_ACCESS_FS_MAKE_SOCK|LANDLOCK_ACCESS_FS_MAKE_FIFO|LANDLOCK_ACCESS_FS_MAKE_SYM|LANDLOCK_ACCESS_FS_REFER|LANDLOCK_ACCESS_FS_TRUNCATE}, 0) (EINVAL is fine), if != -22 go to 6  # allow it at /srv, if that is a directory
       4  add($srv, 0)  # it is a file: a rule without the rights of directories
       5  landlock_add_rule($ruleset, LANDLOCK_RULE_PATH_BENEATH, {allowed_access=LANDLOCK_ACCESS_FS_WRITE_FILE|LANDLOCK_ACCESS_FS_TRUNCATE}, 0)  # allow at the file /srv what has a meaning there
       6  close($srv)  # /srv is not needed any more
       7  landlock_add_rule($ruleset, LANDLOCK_RULE_NET_PORT, {allowed_access=LANDLOCK_ACCESS_NET_BIND_TCP, port=80}, 0)  # allow it at port 80
       8  landlock_add_rule($ruleset, LANDLOCK_RULE_NET_PORT, {allowed_access=LANDLOCK_ACCESS_NET_BIND_UDP, port=0}, 0)  # allow it at port 0
       9  landlock_add_rule($ruleset, LANDLOCK_RULE_NET_PORT, {allowed_access=LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP, port=53}, 0)  # allow it at port 53
      10  landlock_restrict_self($ruleset, LANDLOCK_RESTRICT_SELF_TSYNC)  # no more than the rules allow from here on
      11  close($ruleset)  # the ruleset is in force
      "
    `);
  });

  it('does nothing where there is nothing that could be enforced', () => {
    expect(landlock({ paths: [{ path: '/', allow: ['read'] }] }, { abi: 0 })).toEqual([]);
    expect(landlock({}, { abi: 3, handled: { tcp: ['bind'] } })).toEqual([]);
    expect(landlock({ scopes: ['signal'] }, { abi: 5, handled: {} })).toEqual([]);
    expect(planLandlock({ scopes: ['signal'] }, { abi: 5, handled: {} }).notEnforced).toEqual(['LANDLOCK_SCOPE_SIGNAL']);
    // A rule on what is not handled, or on what the ABI does not have, has nothing to say.
    expect(landlock({ paths: [{ path: '/dev', allow: ['ioctl'] }], tcp: { bind: [1] } }, { abi: 4, handled: { paths: ['read'] } })).toHaveLength(3);
  });

  it('refuses to enforce less than is asked for where it is strict', () => {
    const paths: LandlockRules['paths'] = [{ path: '/', allow: ['read'] }];
    const strict = (rules: LandlockRules, abi: number, options: LandlockOptions = {}): unknown => landlock(rules, { ...options, abi, strict: true });
    expect(strict({ paths }, 5)).toHaveLength(8);
    expect(() => strict({ paths }, 2)).toThrow(
      'landlock: ABI 2 of Landlock is not enough: LANDLOCK_ACCESS_FS_TRUNCATE needs ABI 3 (Linux 6.2), LANDLOCK_ACCESS_FS_IOCTL_DEV needs ABI 5 (Linux 6.10). Without strict, less is enforced',
    );
    expect(strict({ paths }, 2, { handled: { paths: ['READ_FILE'] } })).toHaveLength(6);
    expect(() => strict({ paths: [{ path: '/srv', allow: ['write'] }] }, 1, { handled: { paths: ['read'] } })).toThrow(
      'LANDLOCK_ACCESS_FS_REFER needs ABI 2 (Linux 5.19)',
    );
    expect(() => strict({ tcp: {} }, 3)).toThrow(/BIND_TCP needs ABI 4 .*CONNECT_TCP needs ABI 4/);
    expect(() => strict({ paths, udp: { connect: [53] } }, 9)).toThrow('LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP needs ABI 10 (Linux 7.2)');
    expect(() => strict({ paths: [{ path: '/run', allow: ['connect'] }] }, 8)).toThrow('LANDLOCK_ACCESS_FS_RESOLVE_UNIX needs ABI 9 (Linux 7.1)');
    expect(() => strict({ scopes: ['signal'] }, 5)).toThrow('LANDLOCK_SCOPE_SIGNAL needs ABI 6 (Linux 6.12)');
    expect(() => strict({}, 6, { log: { newExec: true } })).toThrow('LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON needs ABI 7 (Linux 6.15)');
    expect(() => strict({}, 7, { allThreads: true })).toThrow('LANDLOCK_RESTRICT_SELF_TSYNC needs ABI 8 (Linux 7.0)');
    expect(() => strict({ paths }, 0)).toThrow('landlock: there is no Landlock. Without strict, less is enforced');
  });

  it('refuses what cannot be meant', () => {
    const wrong =
      (rules: object, options: object = {}): (() => unknown) =>
      () =>
        landlock(rules as LandlockRules, options as LandlockOptions);
    expect(wrong({ path: [] })).toThrow(new TypeError('landlock: there is no option "path": did you mean paths?'));
    expect(wrong({}, { strikt: true })).toThrow(new TypeError('landlock: there is no option "strikt": did you mean strict?'));
    expect(wrong({}, { handled: { tpc: [] } })).toThrow(TypeError);
    expect(wrong({}, { handled: { tcp: ['listen'] } })).toThrow(RangeError);
    expect(wrong({}, { log: { new: true } })).toThrow(TypeError);
    expect(wrong({}, { abi: -1 })).toThrow(new RangeError('landlock: abi is -1: it has to be an integer from 0 to 1000'));
    expect(wrong({ paths: [{ path: '/', allow: ['reed'] }] })).toThrow(new RangeError('landlock: there is no right: "reed": did you mean read?'));
    expect(wrong({ paths: [{ path: '/', allow: [] }] })).toThrow(RangeError);
    expect(wrong({ paths: [{ path: '', allow: ['read'] }] })).toThrow(RangeError);
    expect(wrong({ paths: [{ allow: ['read'] }] })).toThrow(new TypeError('landlock: a rule is about either a path or an fd'));
    expect(wrong({ paths: [{ path: '/', fd: 3, allow: ['read'] }] })).toThrow(TypeError);
    expect(wrong({ tcp: { bind: [65536] } })).toThrow(new RangeError('landlock: the tcp port to bind is 65536: it has to be an integer from 0 to 65535'));
    expect(wrong({ udp: { connect: ['53'] } })).toThrow(RangeError);
    expect(wrong({ scopes: ['signals'] })).toThrow(new RangeError('landlock: there is no scope: "signals": did you mean signal?'));
  });
});

describe('landlockGroups', () => {
  it('has every right in one group, but for making device nodes', () => {
    const grouped = Object.values(landlockGroups).flat();
    expect(new Set(grouped).size).toBe(grouped.length);
    expect(grouped).not.toContain('MAKE_CHAR' satisfies LandlockAccess);
    expect(grouped).toHaveLength(15);
  });
});

describe('landlockAbi', () => {
  it('is a number, and 0 with a reason', () => {
    const abi = landlockAbi();
    expect(landlockUnavailable() === undefined).toBe(abi > 0);
    expect(planLandlock({}).abi).toBe(abi);
  });
});
