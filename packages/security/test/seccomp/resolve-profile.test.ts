import { defaultProfile, resolveProfile, type SeccompCondition, type SeccompProfile } from '@ctr/security';
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
