import {
  ambientOperations,
  AT_FDCWD,
  capabilityNumbers,
  capData,
  cloneFlags,
  continueInChild,
  explain,
  explainArgs,
  explainCall,
  fail,
  fileTypes,
  label,
  Memory,
  mountAttr,
  mountAttrs,
  mountFlags,
  openFlags,
  openHow,
  prctlOptions,
  resolveFlags,
  RLIM64_INFINITY,
  rlimit64,
  resultOf,
  signals,
  waitForHost,
  type Arg,
  type Step,
} from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

const shown = (call: Step['call'], ...args: Arg[]): string => explainCall({ call, args, purpose: '' });

describe('explain', () => {
  it('prints a line for each step: call, result, what is fine, where it goes on, and what for', () => {
    const root: Step = { call: 'openat', args: [AT_FDCWD, '/srv', openFlags.O_PATH | openFlags.O_CLOEXEC], purpose: 'the root', as: 'root' };
    const end = label('the end');
    const out = fail(21, 'a directory cannot be executed');
    const enter: Step = {
      call: 'fchdir',
      args: [resultOf(root)],
      purpose: 'go there',
      tolerates: ['ENOTDIR', 'EACCES'],
      jump: { when: '<', than: -1, to: out },
      onFailure: end,
    };
    const count: Step = { call: 'add', args: [resultOf(enter), 5], purpose: 'count', tolerates: 'any' };
    expect(explain([root, enter, count, out, end])).toMatchInlineSnapshot(`
      "1  openat(AT_FDCWD, "/srv", O_CLOEXEC|O_PATH) = $root  # the root
      2  fchdir($root) (ENOTDIR, EACCES is fine), if < -1 go to 4, on failure go to 5  # go there
      3  add($2, 5) (any error is fine)  # count
      4  fail(EISDIR)  # a directory cannot be executed
      5  label()  # the end"
    `);
  });

  it('marks a step with an arrow', () => {
    const plan = Array.from({ length: 10 }, (_, i): Step => ({ call: 'umask', args: [i], purpose: `step ${i}` }));
    expect(explain(plan, { mark: 9 }).split('\n').slice(-2)).toEqual(['   9  umask(010)  # step 8', '→ 10  umask(011)  # step 9']);
  });

  it('prints what goes on in a new process and waits', () => {
    expect(explain([...continueInChild({ namespaces: cloneFlags.CLONE_NEWPID }), ...waitForHost('map the ids')])).toMatchInlineSnapshot(`
      "1  clone(CLONE_VM|CLONE_PARENT|CLONE_PARENT_SETTID|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to 4  # go on in a new process, in new namespaces
      2  write(3, "\\1\\0\\0\\0\\0\\0\\0\\0", 8) (any error is fine)  # tell the host its pid
      3  exit_group(0)  # the first process has done its part
      4  label()  # the new process
      5  write(3, "\\2\\0\\0\\0\\0\\0\\0\\0", 8)  # tell the host: map the ids
      6  read(3, &answer, 1), if == 1 go to 8  # wait for the host: map the ids
      7  fail(EPIPE)  # the host is gone
      8  label()  # the host has answered"
    `);
  });

  it('prints nothing for no steps', () => {
    expect(explain([])).toBe('');
  });
});

describe('an argument is printed', () => {
  it('as flags by name, in any number, with what is left as a number', () => {
    expect(shown('mount', 'none', '/x', null, mountFlags.MS_REC | mountFlags.MS_PRIVATE, null)).toBe('mount("none", "/x", NULL, MS_REC|MS_PRIVATE, NULL)');
    expect(shown('mount', null, '/x', null, 0, 0)).toBe('mount(NULL, "/x", NULL, 0, NULL)');
    expect(shown('umount2', '/x', 0x102)).toBe('umount2("/x", MNT_DETACH|0x100)');
    expect(shown('openat', -1, 'x', openFlags.O_RDWR | openFlags.O_CREAT, 0o600)).toBe('openat(-1, "x", O_RDWR|O_CREAT, 0600)');
    expect(shown('openat', AT_FDCWD, 'x', 0, 0o600)).toBe('openat(AT_FDCWD, "x", O_RDONLY)');
    expect(shown('unshare', cloneFlags.CLONE_NEWTIME | cloneFlags.CLONE_NEWNS)).toBe('unshare(CLONE_NEWTIME|CLONE_NEWNS)');
    expect(shown('clone', cloneFlags.CLONE_VM | signals.SIGCHLD, 0)).toBe('clone(CLONE_VM|SIGCHLD, NULL)');
    expect(shown('unlinkat', AT_FDCWD, 'x', 0)).toBe('unlinkat(AT_FDCWD, "x", 0)');
  });

  it('as a mode in octal, with the type of file, and as a device', () => {
    expect([0, 0o7, 0o22, 0o644, 0o1777, 0o4755].map((mode) => shown('umask', mode))).toEqual([
      'umask(000)',
      'umask(007)',
      'umask(022)',
      'umask(0644)',
      'umask(01777)',
      'umask(04755)',
    ]);
    expect(shown('mknodat', AT_FDCWD, 'x', fileTypes.S_IFBLK | 0o660, 0x812)).toBe('mknodat(AT_FDCWD, "x", S_IFBLK|0660, makedev(8, 18))');
  });

  it('as a name, or as a number where there is none', () => {
    expect(shown('kill', 1, signals.SIGHUP)).toBe('kill(1, SIGHUP)');
    expect(shown('kill', 1, 40)).toBe('kill(1, 40)');
    expect(shown('prctl', 9999)).toBe('prctl(9999)');
    expect(shown('lseek', 3, 2n ** 63n, 0)).toBe('lseek(3, 9223372036854775808, 0)');
  });

  it('of prctl by its option', () => {
    expect(shown('prctl', prctlOptions.PR_CAPBSET_DROP, capabilityNumbers.CAP_SYS_ADMIN)).toBe('prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN)');
    expect(shown('prctl', prctlOptions.PR_CAPBSET_DROP, 63)).toBe('prctl(PR_CAPBSET_DROP, 63)');
    expect(shown('prctl', prctlOptions.PR_CAP_AMBIENT, ambientOperations.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)).toBe(
      'prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)',
    );
    expect(shown('prctl', prctlOptions.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)).toBe('prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)');
  });

  it('as capabilities in either half of a set', () => {
    const data = capData({ effective: 0, permitted: 2 ** 31 + 1, permitted_high: 2 ** (capabilityNumbers.CAP_BPF - 32) });
    expect(shown('capset', null, data)).toBe('capset(NULL, {effective=0, permitted=CAP_CHOWN|CAP_SETFCAP, permitted_high=CAP_BPF})');
  });

  it('as a limit, or as none, and as a priority with its class', () => {
    for (const none of [RLIM64_INFINITY, -1])
      expect(shown('prlimit64', 0, 7, rlimit64({ rlim_cur: 1, rlim_max: none }), null)).toContain('rlim_cur=1, rlim_max=RLIM64_INFINITY');
    expect(shown('ioprio_set', 1, 0, 0x6007)).toBe('ioprio_set(IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 7))');
    expect(shown('ioprio_set', 1, 0, 0xe000)).toBe('ioprio_set(IOPRIO_WHO_PROCESS, 0, 57344)');
  });

  it('as text with everything escaped that a terminal could take for more, and cut', () => {
    expect(shown('chdir', 'a"\\\n\t\r\u001b[2Jé')).toBe(String.raw`chdir("a\"\\\n\t\r\33[2J\303\251")`);
    expect(shown('chdir', '\u00011\u0001a')).toBe(String.raw`chdir("\0011\1a")`);
    expect(shown('chdir', 'x'.repeat(64))).toBe(`chdir("${'x'.repeat(64)}")`);
    expect(shown('chdir', 'x'.repeat(65))).toBe(`chdir("${'x'.repeat(64)}"...)`);
    expect(shown('write', 1, Buffer.from([0, 0xff]), 2)).toBe(String.raw`write(1, "\0\377", 2)`);
  });

  it('as a struct, a vector, memory, a place in it, or what stands there', () => {
    expect(shown('openat2', AT_FDCWD, 'x', openHow({ flags: openFlags.O_PATH, resolve: resolveFlags.RESOLVE_IN_ROOT }), 24)).toBe(
      'openat2(AT_FDCWD, "x", {flags=O_PATH, resolve=RESOLVE_IN_ROOT}, 24)',
    );
    expect(shown('mount_setattr', 3, '', 0, mountAttr({ attr_clr: mountAttrs.MOUNT_ATTR_RDONLY, userns_fd: 4 }), 32)).toBe(
      'mount_setattr(3, "", 0, {attr_clr=MOUNT_ATTR_RDONLY, userns_fd=4}, 32)',
    );
    expect(shown('execve', '/x', ['a', 'b'], [])).toBe('execve("/x", ["a", "b"], [])');
    expect(shown('execve', '/x', Array<string>(11).fill('a'), null)).toBe('execve("/x", ["a", "a", "a", "a", "a", "a", "a", "a", … 3 more], NULL)');
    const memory = new Memory(16, 'buffer');
    expect(shown('read', memory.i32(4), memory, memory.u64())).toBe('read($buffer+4, &buffer, $buffer)');
    expect(shown('read', 3, memory.at(8), 8)).toBe('read(3, &buffer+8, 8)');
  });
});

it('explainArgs has them one by one', () => {
  expect(explainArgs({ call: 'mount', args: ['proc', '/proc', 'proc', mountFlags.MS_NOSUID, null], purpose: 'proc' })).toEqual([
    '"proc"',
    '"/proc"',
    '"proc"',
    'MS_NOSUID',
    'NULL',
  ]);
});
