import {
  compileFilter,
  defaultCapabilities,
  defaultProfile,
  resolveProfile,
  simulate,
  type SeccompCondition,
  type SeccompProfile,
  type SeccompRule,
} from '@ctr/security';
import { syscallNumbers } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

function counts(includes: SeccompCondition | undefined, excludes?: SeccompCondition): boolean {
  const profile: SeccompProfile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ names: ['mount'], action: 'SCMP_ACT_ALLOW', ...(includes && { includes }), ...(excludes && { excludes }) }],
  };
  return resolveProfile(profile, { capabilities: ['CAP_SYS_ADMIN', 'CAP_CHOWN'], arch: 'x64', kernel: '5.14.21-generic' }).syscalls.length === 1;
}

describe('a rule counts', () => {
  it('if all capabilities of includes are there', () => {
    expect(counts({ caps: ['CAP_SYS_ADMIN', 'CAP_CHOWN'] })).toBe(true);
    expect(counts({ caps: ['CAP_SYS_ADMIN', 'CAP_KILL'] })).toBe(false);
  });

  it('if none of excludes is', () => {
    expect(counts(undefined, { caps: ['CAP_KILL'] })).toBe(true);
    expect(counts(undefined, { caps: ['CAP_KILL', 'CAP_CHOWN'] })).toBe(false);
  });

  it("if the machine's own programs are meant", () => {
    expect(counts({ arches: ['amd64', 'x32'] })).toBe(true);
    expect(counts({ arches: ['x32', 'x86', 'arm64'] })).toBe(false);
    expect(counts(undefined, { arches: ['s390', 'amd64'] })).toBe(false);
    expect(counts({ arches: [] })).toBe(true);
  });

  it('if the kernel is new enough, by numbers', () => {
    expect(counts({ minKernel: '5.14' })).toBe(true);
    expect(counts({ minKernel: '5.2' })).toBe(true);
    expect(counts({ minKernel: '5.15' })).toBe(false);
    expect(counts({ minKernel: '10.0' })).toBe(false);
    expect(counts(undefined, { minKernel: '4.8' })).toBe(false);
  });

  it('if all of them hold', () => {
    expect(counts({ caps: ['CAP_SYS_ADMIN'], arches: ['amd64'], minKernel: '4.8' })).toBe(true);
    expect(counts({ caps: ['CAP_SYS_ADMIN'], arches: ['arm64'], minKernel: '4.8' })).toBe(false);
  });
});

it('architectures are those of the machine, its own first', () => {
  const architectures = (profile: Partial<SeccompProfile>, arch: 'x64' | 'arm64') =>
    resolveProfile({ defaultAction: 'SCMP_ACT_ALLOW', ...profile }, { arch }).architectures;
  expect(architectures({}, 'x64')).toEqual(['SCMP_ARCH_X86_64']);
  expect(architectures({ architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X86_64', 'SCMP_ARCH_S390X'] }, 'x64')).toEqual([
    'SCMP_ARCH_X86_64',
    'SCMP_ARCH_X86',
    'SCMP_ARCH_S390X',
  ]);
  expect(resolveProfile(defaultProfile, { arch: 'arm64' }).architectures).toEqual(['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
  expect(resolveProfile(defaultProfile, { arch: 'x64' }).architectures).toEqual(['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
});

it('names that are not known are told', () => {
  const names = ['waitpid', 'raed', 'send', 'cacheflush', 'riscv_hwprobe', 'read'];
  expect(resolveProfile({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names, action: 'SCMP_ACT_ERRNO' }] }).unknownSyscalls).toEqual([
    'raed',
    'riscv_hwprobe',
  ]);
});

it('what comes out is a profile that stays as it is', () => {
  const once = resolveProfile(defaultProfile, { capabilities: ['CAP_SYS_ADMIN'], arch: 'x64', kernel: '6.1' });
  expect(resolveProfile(once, { arch: 'x64' })).toEqual(once);
  expect(JSON.stringify(once)).not.toContain('includes');
});

describe('a rule that is first', () => {
  const calls = ['socket', 'ioctl', 'fcntl', 'fcntl64', 'ptrace', 'read', 'mount'];
  const values = [
    0, 1, 37, 38, 39, 40, 41, 0x5411, 0x5412, 0x5413, 0x541b, 0x541c, 1023, 1024, 1025, 1026, 1040, 0x41ff, 0x4200, 0x4206, 0x7fffffff, 0xffffffff,
  ].flatMap((value) => [BigInt(value), BigInt(value) + 2n ** 32n]);

  it.each(['x64', 'arm64'] as const)('is said without an order, and all calls are answered as before: %s', (arch) => {
    const resolved = resolveProfile(defaultProfile, { arch, capabilities: defaultCapabilities });
    expect(JSON.stringify(resolved)).not.toContain('first');
    const [before, after] = [defaultProfile, resolved].map((profile) => compileFilter(profile, { arch, capabilities: defaultCapabilities }));
    let refused = 0;
    for (const abi of before!.abis)
      for (const name of calls) {
        const nr = syscallNumbers(abi).get(name);
        if (nr === undefined) continue;
        for (const value of values)
          for (const args of [[value], [0, value], ...[0x3fn, 0x40n, 0xffn].map((options) => [value, 1, 0, options])]) {
            const verdict = simulate(before!, { arch: abi, nr, args });
            expect(simulate(after!, { arch: abi, nr, args }), `${abi} ${name} ${args.join(', ')}`).toEqual(verdict);
            if (name !== 'mount' && verdict.action === 'SCMP_ACT_ERRNO') refused++;
          }
      }
    expect(refused).toBeGreaterThan(0);
  });

  it('without conditions is the only one of its call', () => {
    const rule: SeccompRule = { names: ['socketcall'], action: 'SCMP_ACT_ALLOW' };
    const profile: SeccompProfile = {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        { names: ['socketcall', 'read'], action: 'SCMP_ACT_KILL' },
        { ...rule, first: true },
      ],
    };
    expect(resolveProfile(profile).syscalls).toEqual([{ names: ['read'], action: 'SCMP_ACT_KILL' }, rule]);
  });

  it('on bits of another argument is said by each of them', () => {
    const profile: SeccompProfile = {
      defaultAction: 'SCMP_ACT_KILL',
      syscalls: [
        { names: ['ptrace'], action: 'SCMP_ACT_ALLOW' },
        {
          names: ['ptrace'],
          action: 'SCMP_ACT_ERRNO',
          first: true,
          args: [
            { index: 0, value: 0xffffffff, valueTwo: 7, op: 'SCMP_CMP_MASKED_EQ' },
            { index: 3, value: 0xb0, valueTwo: 0x90, op: 'SCMP_CMP_MASKED_EQ' },
          ],
        },
      ],
    };
    const [before, after] = [profile, resolveProfile(profile, { arch: 'x64' })].map((each) => compileFilter(each, { arch: 'x64' }));
    for (const request of [6, 7, 8])
      for (let options = 0; options < 512; options++) {
        const asked = { arch: 'x64', nr: syscallNumbers('x64').get('ptrace') ?? 0, args: [request, 0, 0, options] } as const;
        expect(simulate(after!, asked)).toEqual(simulate(before!, asked));
        expect(simulate(after!, asked).action).toBe(request === 7 && (options & 0xb0) === 0x90 ? 'SCMP_ACT_ERRNO' : 'SCMP_ACT_ALLOW');
      }
  });

  it('with conditions that the spec cannot put before others is an error', () => {
    const first: SeccompRule = { names: ['read'], action: 'SCMP_ACT_ERRNO', first: true, args: [{ index: 0, value: 5, op: 'SCMP_CMP_GT' }] };
    expect(() => resolveProfile({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [first] })).toThrow(
      'the rule for "read" that is first cannot be said in the form of the OCI runtime-spec',
    );
  });
});

it('options are checked', () => {
  expect(() => resolveProfile(defaultProfile, { capability: [] } as object)).toThrow(
    'resolveProfile: there is no option "capability": did you mean capabilities?',
  );
  expect(() => resolveProfile(defaultProfile, { capabilities: ['CAP_CHWON' as 'CAP_CHOWN'] })).toThrow(
    'capabilities: there is no capability: "CAP_CHWON": did you mean CAP_CHOWN?',
  );
  expect(() => resolveProfile(defaultProfile, { arch: 'x86' as 'x64' })).toThrow('arch is "x86": filters are made for x64 and arm64');
  expect(() => resolveProfile(defaultProfile, { kernel: 'new' })).toThrow('kernel is "new": it begins with a version such as 6.1');
});
