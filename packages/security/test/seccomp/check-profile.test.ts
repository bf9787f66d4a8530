import { compileFilter, resolveProfile, type SeccompProfile } from '@ctr/security';
import { describe, expect, it } from 'vitest';

/** A profile as a file may have it, with something wrong in it. */
function wrong(change: object): SeccompProfile {
  return { defaultAction: 'SCMP_ACT_ERRNO', ...change } as SeccompProfile;
}
const withRule = (change: object): SeccompProfile =>
  wrong({
    syscalls: [
      { names: ['read'], action: 'SCMP_ACT_ALLOW' },
      { names: ['write'], action: 'SCMP_ACT_ALLOW', ...change },
    ],
  });
const withArg = (change: object): SeccompProfile => withRule({ args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ', ...change }] });

describe('what is wrong in a profile is named by its place', () => {
  const cases: Record<string, [SeccompProfile, string]> = {
    'no object': [[] as unknown as SeccompProfile, 'a seccomp profile: a list: it has to be an object'],
    'no default action': [wrong({ defaultAction: undefined }), 'defaultAction: it is missing: it has to be a string'],
    'an unknown action': [wrong({ defaultAction: 'SCMP_ACT_ERNO' }), 'defaultAction: "SCMP_ACT_ERNO" is not known: did you mean SCMP_ACT_ERRNO?'],
    'an errno beyond the greatest': [wrong({ defaultErrnoRet: 4096 }), 'defaultErrnoRet: 4096: with SCMP_ACT_ERRNO it is an integer from 0 to 4095'],
    'an errno for what has none': [withRule({ errnoRet: 5 }), 'syscalls[1].errnoRet: 5: SCMP_ACT_ALLOW has no errno'],
    'an errno as text': [withRule({ action: 'SCMP_ACT_ERRNO', errnoRet: '5' }), 'syscalls[1].errnoRet: "5": it has to be a number'],
    'an unknown architecture': [
      wrong({ architectures: ['SCMP_ARCH_X86_46'] }),
      'architectures[0]: "SCMP_ARCH_X86_46" is not known: did you mean SCMP_ARCH_X86_64?',
    ],
    'architectures in two ways': [
      wrong({ architectures: ['SCMP_ARCH_X86'], archMap: [{ architecture: 'SCMP_ARCH_X86_64' }] }),
      'architectures, archMap: a seccomp profile has one or the other',
    ],
    'an unknown sub-architecture': [
      wrong({ archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['x32'] }] }),
      'archMap[0].subArchitectures[0]: "x32" is not known',
    ],
    'an unknown flag': [
      wrong({ flags: ['SECCOMP_FILTER_FLAG_LOGS'] }),
      'flags[0]: "SECCOMP_FILTER_FLAG_LOGS" is not known: did you mean SECCOMP_FILTER_FLAG_LOG?',
    ],
    'no list of rules': [wrong({ syscalls: {} }), 'syscalls: an object: it has to be a list'],
    'no names': [withRule({ names: undefined }), 'syscalls[1].names: they are missing'],
    'a name and names': [withRule({ name: 'read' }), 'syscalls[1]: a rule has name or names, not both'],
    'a name that is a number': [withRule({ names: ['read', 7] }), 'syscalls[1].names[1]: 7: it has to be the name of a system call'],
    'an empty name': [withRule({ names: [''] }), 'syscalls[1].names[0]: an empty name'],
    'an argument beyond the last': [withArg({ index: 6 }), 'syscalls[1].args[0].index: 6: a call has the arguments 0 to 5'],
    'an argument as text': [withArg({ index: '0' }), 'syscalls[1].args[0].index: "0": it has to be a number'],
    'an unknown operator': [withArg({ op: 'SCMP_CMP_NEQ' }), 'syscalls[1].args[0].op: "SCMP_CMP_NEQ" is not known: did you mean SCMP_CMP_NE?'],
    'a value below zero': [withArg({ value: -1 }), 'syscalls[1].args[0].value: -1: it has to be an integer from 0 to 2^64 - 1'],
    'a fraction': [withArg({ value: 1.5 }), 'syscalls[1].args[0].value: 1.5: it has to be an integer from 0 to 2^64 - 1'],
    'a value beyond 64 bits': [withArg({ value: 2n ** 64n }), 'syscalls[1].args[0].value: 18446744073709551616: it has to be an integer from 0 to 2^64 - 1'],
    'a number that JSON has rounded': [
      withArg({ valueTwo: 2 ** 64 }),
      'syscalls[1].args[0].valueTwo: 18446744073709552000: a number does not hold it exactly: give it as a bigint',
    ],
    'an unknown capability': [
      withRule({ includes: { caps: ['CAP_SYSADMIN'] } }),
      'syscalls[1].includes.caps[0]: "CAP_SYSADMIN" is not known: did you mean CAP_SYS_ADMIN?',
    ],
    'an unknown machine': [withRule({ excludes: { arches: ['x64'] } }), 'syscalls[1].excludes.arches[0]: "x64" is not known: did you mean x86?'],
    'a kernel that is none': [withRule({ includes: { minKernel: '4.8.1' } }), 'syscalls[1].includes.minKernel: "4.8.1": it has the form 4.8'],
    'first that is not true': [withRule({ first: 1 }), 'syscalls[1].first: 1: it has to be true or false'],
    'control characters': [wrong({ defaultAction: '\u001b[31m' }), 'defaultAction: "\\u001b[31m" is not known'],
  };
  for (const [what, [profile, message]] of Object.entries(cases)) {
    it(`with ${what}`, () => expect(() => resolveProfile(profile)).toThrow(message));
  }

  it('null is as good as nothing, as Go programs write it, and unknown keys are passed over', () => {
    const profile = wrong({
      architectures: null,
      flags: null,
      listenerPath: null,
      oddity: 1,
      syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', args: null, includes: null, errnoRet: null }],
    });
    expect(compileFilter(profile, { arch: 'arm64' }).summary).toBe('1 call allowed, the rest EPERM');
  });
});
