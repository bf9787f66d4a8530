import {
  compileFilter,
  defaultCapabilities,
  defaultProfile,
  describeFilter,
  firstRefused,
  noNewPrivs,
  seccomp,
  simulate,
  type SeccompProfile,
} from '@ctr/security';
import { explain, label, resultOf, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

const small: SeccompProfile = {
  defaultAction: 'SCMP_ACT_ALLOW',
  architectures: ['SCMP_ARCH_X86'],
  syscalls: [{ names: ['socket', 'mkdir'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, op: 'SCMP_CMP_GT', value: 2 }] }],
};

describe('the step', () => {
  it('is as strace shows it', () => {
    expect(explain(seccomp(defaultProfile, { arch: 'x64', capabilities: defaultCapabilities }))).toMatchInlineSnapshot(
      `"1  seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=344, filter=&filter})  # the filter: 303 calls allowed, 6 by their arguments, the rest EPERM (344 instructions)"`,
    );
    expect(explain(seccomp(small, { arch: 'x64', flags: ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG'] }))).toMatchInlineSnapshot(
      `"1  seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC|SECCOMP_FILTER_FLAG_LOG|SECCOMP_FILTER_FLAG_TSYNC_ESRCH, {len=26, filter=&filter})  # the filter: 2 calls restricted by their arguments, the rest allowed (26 instructions)"`,
    );
    expect(
      explain(seccomp(compileFilter({ ...small, flags: ['SECCOMP_FILTER_FLAG_SPEC_ALLOW', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] }, { arch: 'arm64' }))),
    ).toMatchInlineSnapshot(
      `"1  seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, {len=22, filter=&filter})  # the filter: 1 call restricted by their arguments, the rest allowed (22 instructions)"`,
    );
  });

  it('gives a listener where a supervisor is asked', () => {
    const profile: SeccompProfile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],
      syscalls: [{ names: ['mknodat'], action: 'SCMP_ACT_NOTIFY' }],
    };
    expect(explain(seccomp(profile, { arch: 'x64' }))).toMatchInlineSnapshot(
      `"1  seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER|SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, {len=10, filter=&filter}) = $listener  # the filter: 1 call restricted, the rest allowed (10 instructions)"`,
    );
  });

  it('says what is probably wrong', () => {
    expect(seccomp(small)[0]?.hints?.EACCES).toContain('noNewPrivs()');
  });

  it('is refused with flags that the kernel would refuse', () => {
    expect(() => seccomp(small, { flags: ['SECCOMP_FILTER_FLAG_TSYNC_ESRCH'] })).toThrow('has no meaning without SECCOMP_FILTER_FLAG_TSYNC');
    expect(() => seccomp(small, { flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] })).toThrow('is about a listener');
    expect(() => seccomp(small, { flags: ['SECCOMP_FILTER_FLAG_LOGS' as 'SECCOMP_FILTER_FLAG_LOG'] })).toThrow('did you mean SECCOMP_FILTER_FLAG_LOG?');
    expect(() => seccomp(small, { flag: [] } as object)).toThrow('did you mean flags?');
    expect(() => seccomp(compileFilter(small), { arch: 'x64' })).toThrow('seccomp: there is no option "arch"');
  });
});

it('a filter can be read', () => {
  expect(describeFilter(compileFilter(small, { arch: 'x64' }))).toMatchInlineSnapshot(`
    " 0  ld arch
     1  jeq x64, 2, 12
     2  ld nr
     3  jge 83 (mkdir), 5, 4
     4  jeq 41 (socket), 6, 24
     5  jge 84 (rmdir), 10, 6
     6  ld args[0] >> 32
     7  jgt 0x0, 23, 8
     8  ld args[0]
     9  jgt 0x2, 23, 24
    10  jge 0x40000000 (read), 11, 24
    11  jge 0xffffffff, 24, 25
    12  jeq i386, 13, 25
    13  ld nr
    14  jge 103 (syslog), 20, 15
    15  jge 40 (rmdir), 17, 16
    16  jge 39 (mkdir), 21, 24
    17  jge 102 (socketcall), 18, 24
    18  ld args[0]
    19  jeq 0x1, 23, 24
    20  jeq 359 (socket), 21, 24
    21  ld args[0]
    22  jgt 0x2, 23, 24
    23  ret ERRNO(EPERM)
    24  ret ALLOW
    25  ret KILL_PROCESS"
  `);
});

it('a filter that is none is refused', () => {
  const word = (code: number, k: number): Uint8Array => new Uint8Array(Uint32Array.of(code, k).buffer);
  const call = { arch: 'x64', nr: 0 } as const;
  expect(() => simulate({ instructions: word(0x20, 0) }, call)).toThrow('the filter runs past its end, to instruction 1');
  expect(() => simulate({ instructions: word(0x07, 0) }, call)).toThrow('instruction 0 has the opcode 0x7, which filters are not made of');
  expect(simulate({ instructions: word(0x06, 0x12340007) }, call)).toEqual({ action: 'SCMP_ACT_KILL_PROCESS', data: 7 });
  expect(describeFilter({ instructions: word(0x07, 9) })).toBe('0   ?0x7 0x9');
});

describe('the first step that is refused', () => {
  const filter = compileFilter({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [
      { names: ['read', 'execve', 'exit_group'], action: 'SCMP_ACT_ALLOW' },
      {
        names: ['ioctl'],
        action: 'SCMP_ACT_ALLOW',
        args: [
          { index: 1, op: 'SCMP_CMP_EQ', value: 5 },
          { index: 2, op: 'SCMP_CMP_NE', value: 0 },
        ],
      },
      { names: ['getpid'], action: 'SCMP_ACT_LOG' },
      { names: ['getppid'], action: 'SCMP_ACT_KILL_PROCESS' },
    ],
  });
  const step = (call: Step['call'], ...args: Step['args'][number][]): Step => ({ call, args, purpose: 'a test' });
  const exec = step('execve', '/bin/true', ['true'], []);

  it('is none if all are allowed, and labels are no calls', () => {
    expect(firstRefused(filter, [label('here'), step('read', 0, null, 0), step('getpid'), exec])).toBeUndefined();
  });

  it('is one with its place and the verdict', () => {
    const [prctl] = noNewPrivs();
    expect(firstRefused(filter, [exec, ...noNewPrivs()])).toEqual({ index: 1, step: prctl, verdict: { action: 'SCMP_ACT_ERRNO', data: 1 } });
    expect(firstRefused(filter, [step('getppid')])?.verdict.action).toBe('SCMP_ACT_KILL_PROCESS');
  });

  it('depends on the arguments that are known', () => {
    expect(firstRefused(filter, [step('ioctl', 0, 6, '')])?.index).toBe(0);
    expect(firstRefused(filter, [step('ioctl', 0, 5, null)])?.index).toBe(0);
    expect(firstRefused(filter, [step('ioctl', 0, 5, 'an address')])).toBeUndefined();
    expect(firstRefused(filter, [exec, step('ioctl', 0, resultOf(exec), 1n)])).toBeUndefined();
    expect(firstRefused(filter, [step('ioctl', 0, 5n, -1)])).toBeUndefined();
  });

  it('is not one that puts up with it', () => {
    expect(firstRefused(filter, [{ ...step('getuid'), tolerates: ['EPERM'] }])).toBeUndefined();
    expect(firstRefused(filter, [{ ...step('getuid'), tolerates: 'any' }])).toBeUndefined();
    expect(firstRefused(filter, [{ ...step('getuid'), tolerates: ['ENOSYS'] }])?.index).toBe(0);
    expect(firstRefused(filter, [{ ...step('getppid'), tolerates: 'any' }])?.index).toBe(0);
  });
});
