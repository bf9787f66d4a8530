import { compileFilter, defaultCapabilities, defaultProfile, simulate, type SeccompArg, type SeccompProfile, type SeccompRule } from '@ctr/security';
import { syscallNumbers, type SyscallAbi } from '@ctr/syscall';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decode, outcomes } from '../../src/seccomp/simulate.js';
import { everyArchitecture } from './verdicts.js';

const allow = (names: string[], args: SeccompArg[] = []): SeccompRule => ({ names, action: 'SCMP_ACT_ALLOW', args });

/** What a profile says of a call, by its name. */
function verdict(profile: SeccompProfile, abi: SyscallAbi, name: string, args: (number | bigint)[] = [], newerCalls: 'ENOSYS' | 'default' = 'default'): string {
  const filter = compileFilter(profile, { arch: 'x64', newerCalls });
  const { action, data } = simulate(filter, { arch: abi, nr: syscallNumbers(abi).get(name) ?? Number.NaN, args });
  return `${action.slice('SCMP_ACT_'.length)}${data > 0 ? ` ${data}` : ''}`;
}

describe('of several rules for a call', () => {
  const base: SeccompProfile = { defaultAction: 'SCMP_ACT_ERRNO', architectures: everyArchitecture };
  const refuse = (value: number, more: Partial<SeccompRule> = {}): SeccompRule => ({
    names: ['ioctl'],
    action: 'SCMP_ACT_ERRNO',
    errnoRet: 13,
    args: [{ index: 1, op: 'SCMP_CMP_EQ', value }],
    ...more,
  });

  it('one without conditions rules out the others, wherever it stands', () => {
    for (const syscalls of [
      [allow(['ioctl']), refuse(5)],
      [refuse(5), allow(['ioctl'])],
    ])
      expect(verdict({ ...base, syscalls }, 'x64', 'ioctl', [0, 5])).toBe('ALLOW');
  });

  it('but for those that are first, in their order', () => {
    const syscalls = [allow(['ioctl']), refuse(5, { first: true }), refuse(5, { first: true, errnoRet: 14 })];
    expect(verdict({ ...base, syscalls }, 'x64', 'ioctl', [0, 5])).toBe('ERRNO 13');
    expect(verdict({ ...base, syscalls }, 'x64', 'ioctl', [0, 6])).toBe('ALLOW');
  });

  it('one that is first counts also if it says what the default says', () => {
    const syscalls = [allow(['ioctl']), refuse(5, { errnoRet: 1 })];
    expect(verdict({ ...base, syscalls }, 'x64', 'ioctl', [0, 5])).toBe('ALLOW');
    expect(verdict({ ...base, syscalls: [allow(['ioctl']), refuse(5, { errnoRet: 1, first: true })] }, 'x64', 'ioctl', [0, 5])).toBe('ERRNO 1');
  });

  it('the narrower one counts', () => {
    const syscalls = [allow(['ioctl'], [{ index: 1, op: 'SCMP_CMP_GT', value: 2 }]), refuse(5)];
    expect(verdict({ ...base, syscalls }, 'x64', 'ioctl', [0, 5])).toBe('ERRNO 13');
    expect(verdict({ ...base, syscalls }, 'x64', 'ioctl', [0, 6])).toBe('ALLOW');
    expect(verdict({ ...base, syscalls }, 'x64', 'ioctl', [0, 2])).toBe('ERRNO 1');
  });

  it('two that contradict each other are refused', () => {
    const syscalls = [allow(['read', 'ioctl'], [{ index: 1, op: 'SCMP_CMP_EQ', value: 5 }]), refuse(5)];
    expect(() => compileFilter({ ...base, syscalls })).toThrow('syscalls[0], syscalls[1]: they differ in what is done on the same conditions');
  });

  it('two that contradict each other are refused among thousands that do not, by the first of them', () => {
    const args = (valueTwo: number): SeccompArg[] => [{ index: 1, op: 'SCMP_CMP_MASKED_EQ', value: valueTwo, valueTwo: 0 }];
    const syscalls = Array.from({ length: 4000 }, (_, i) => allow(['ioctl'], args(i + 1)));
    const other = { ...refuse(5), args: args(4000) };
    expect(() => compileFilter({ ...base, syscalls: [...syscalls, other] })).toThrow('syscalls[3999], syscalls[4000]: they differ in what is done');
  });

  it('a name that is repeated in a rule counts once', () => {
    const args: SeccompArg[] = [{ index: 1, op: 'SCMP_CMP_EQ', value: 5 }];
    const many = Array.from({ length: 16_385 }, () => 'ioctl');
    const [once, often] = [['ioctl'], many].map((list) => compileFilter({ ...base, syscalls: [allow(list, args)] }, { arch: 'x64' }));
    expect(often).toEqual(once);
  });

  it('no more are looked at than the 16,384 of one call', () => {
    const args = Array.from({ length: 16_384 }, (_, value): SeccompArg => ({ index: 1, op: 'SCMP_CMP_EQ', value }));
    const syscalls = [allow(['ioctl'], args), allow(['ioctl'], [{ index: 1, op: 'SCMP_CMP_EQ', value: 16_384 }])];
    expect(() => compileFilter({ ...base, syscalls }, { arch: 'x64' })).toThrow('syscalls[1]: more than 16384 rules for the call 16');
  });

  it('conditions on the same argument are rules of their own, as with runc', () => {
    const args: SeccompArg[] = [
      { index: 0, op: 'SCMP_CMP_EQ', value: 1 },
      { index: 0, op: 'SCMP_CMP_EQ', value: 2 },
      { index: 1, op: 'SCMP_CMP_EQ', value: 7 },
    ];
    const profile = { ...base, syscalls: [allow(['ioctl'], args)] };
    expect(
      [
        [1, 0],
        [2, 0],
        [0, 7],
        [0, 0],
      ].map((values) => verdict(profile, 'x64', 'ioctl', values)),
    ).toEqual(['ALLOW', 'ALLOW', 'ALLOW', 'ERRNO 1']);
  });
});

it('rules with several conditions each hold if all of theirs do', () => {
  const ops = ['SCMP_CMP_NE', 'SCMP_CMP_LT', 'SCMP_CMP_LE', 'SCMP_CMP_EQ', 'SCMP_CMP_GE', 'SCMP_CMP_GT', 'SCMP_CMP_MASKED_EQ'] as const;
  const values = fc.constantFrom(0n, 1n, 2n, 5n, 0x80000000n, 0xffffffffn, 0x100000000n, 0x100000001n, 0x500000005n, 2n ** 64n - 1n);
  const arg = (index: number): fc.Arbitrary<SeccompArg> =>
    fc.record({ index: fc.constant(index), op: fc.constantFrom(...ops), value: values, valueTwo: values });
  const args = fc.subarray([0, 1, 2], { minLength: 1 }).chain((indices) => fc.tuple(...indices.map(arg)));
  const holds = ({ index, op, value, valueTwo }: SeccompArg, given: readonly bigint[]): boolean => {
    const [a, b, c] = [given[index] as bigint, BigInt(value), BigInt(valueTwo ?? 0)];
    const outcome = { NE: a !== b, LT: a < b, LE: a <= b, EQ: a === b, GE: a >= b, GT: a > b, MASKED_EQ: (a & b) === (b & c) };
    return outcome[op.slice('SCMP_CMP_'.length) as keyof typeof outcome];
  };
  fc.assert(
    fc.property(
      fc.array(args, { minLength: 1, maxLength: 12 }),
      fc.array(fc.tuple(values, values, values), { minLength: 20, maxLength: 20 }),
      (rules, calls) => {
        const filter = compileFilter({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: rules.map((one) => allow(['read'], one)) }, { arch: 'x64' });
        for (const call of calls)
          expect(simulate(filter, { arch: 'x64', nr: 0, args: call }).action).toBe(
            rules.some((rule) => rule.every((one) => holds(one, call))) ? 'SCMP_ACT_ALLOW' : 'SCMP_ACT_ERRNO',
          );
      },
    ),
    { numRuns: 200 },
  );
});

describe('programs of other kinds', () => {
  const profile: SeccompProfile = { defaultAction: 'SCMP_ACT_LOG' };

  it('are killed, as are x32 calls, if the profile does not name them', () => {
    const filter = compileFilter(profile, { arch: 'x64' });
    expect(simulate(filter, { arch: 'x64', nr: 0 }).action).toBe('SCMP_ACT_LOG');
    for (const arch of ['i386', 'x32', 'arm', 'arm64', 0xc00000f3] as const) expect(simulate(filter, { arch, nr: 0 }).action).toBe('SCMP_ACT_KILL_PROCESS');
    expect(simulate(filter, { arch: 'x64', nr: 0x40000000 }).action).toBe('SCMP_ACT_KILL_PROCESS');
  });

  it('-1 is not taken for a call of x32: a tracer makes it of what is to be left out', () => {
    expect(simulate(compileFilter(profile, { arch: 'x64' }), { arch: 'x64', nr: -1 }).action).toBe('SCMP_ACT_LOG');
  });

  it('are of the machine only: what a profile says of others has no effect', () => {
    const other = compileFilter({ ...profile, architectures: ['SCMP_ARCH_MIPS64', 'SCMP_ARCH_S390X'] }, { arch: 'arm64' });
    expect(other.abis).toEqual(['arm64']);
    expect(other.count).toBe(compileFilter(profile, { arch: 'arm64' }).count);
  });

  it('that have 32 bits have them compared', () => {
    const high: SeccompProfile = {
      defaultAction: 'SCMP_ACT_ERRNO',
      architectures: everyArchitecture,
      syscalls: [allow(['ioctl'], [{ index: 1, op: 'SCMP_CMP_EQ', value: 2n ** 64n - 1n }])],
    };
    expect(verdict(high, 'i386', 'ioctl', [0, 0xffffffff])).toBe('ALLOW');
    expect(verdict(high, 'x32', 'ioctl', [0, 0xffffffff])).toBe('ALLOW');
    expect(verdict(high, 'x64', 'ioctl', [0, 0xffffffff])).toBe('ERRNO 1');
    expect(verdict(high, 'x64', 'ioctl', [0, 2n ** 64n - 1n])).toBe('ALLOW');
  });
});

describe('socketcall(2) and ipc(2)', () => {
  const profile = (defaultAction: SeccompProfile['defaultAction'], ...syscalls: SeccompRule[]): SeccompProfile => ({
    defaultAction,
    architectures: ['SCMP_ARCH_X86'],
    syscalls,
  });
  const family: SeccompArg = { index: 0, op: 'SCMP_CMP_EQ', value: 1 };

  it('are allowed what their calls are', () => {
    const one = profile('SCMP_ACT_ERRNO', allow(['connect', 'shmdt']));
    expect([1, 3, 4].map((call) => verdict(one, 'i386', 'socketcall', [call]))).toEqual(['ERRNO 1', 'ALLOW', 'ERRNO 1']);
    expect([21, 22, 0x10016].map((call) => verdict(one, 'i386', 'ipc', [call]))).toEqual(['ERRNO 1', 'ALLOW', 'ALLOW']);
  });

  it('are no way round a condition', () => {
    const one = profile('SCMP_ACT_ERRNO', allow(['socket'], [family]));
    expect(verdict(one, 'i386', 'socket', [1])).toBe('ALLOW');
    expect(verdict(one, 'i386', 'socketcall', [1, 1])).toBe('ERRNO 1');
    const other = profile('SCMP_ACT_ALLOW', { names: ['socket'], action: 'SCMP_ACT_ERRNO', errnoRet: 97, args: [family] });
    expect(verdict(other, 'i386', 'socket', [2])).toBe('ALLOW');
    expect(verdict(other, 'i386', 'socketcall', [1, 2])).toBe('ERRNO 97');
    expect(verdict(other, 'i386', 'socketcall', [2, 2])).toBe('ALLOW');
  });

  it('are allowed if they are so themselves', () => {
    const one = profile('SCMP_ACT_ERRNO', allow(['socket'], [family]), allow(['socketcall']));
    expect(verdict(one, 'i386', 'socketcall', [1, 2])).toBe('ALLOW');
  });

  it('are not there for other programs', () => {
    const arm = compileFilter({ defaultAction: 'SCMP_ACT_ERRNO', architectures: ['SCMP_ARCH_ARM'], syscalls: [allow(['socket', 'shmdt'])] }, { arch: 'arm64' });
    for (const nr of [102, 117]) expect(simulate(arm, { arch: 'arm', nr, args: [22] }).action).toBe('SCMP_ACT_ERRNO');
  });
});

describe('calls that are newer than the profile', () => {
  const profile: SeccompProfile = { defaultAction: 'SCMP_ACT_ERRNO', architectures: everyArchitecture, syscalls: [allow(['read', 'openat2', 'set_tls'])] };
  const errno = (abi: SyscallAbi, nr: number, options: Parameters<typeof compileFilter>[1] = {}, one = profile): string => {
    const { action, data } = simulate(compileFilter(one, { arch: 'x64', ...options }), { arch: abi, nr });
    return `${action.slice('SCMP_ACT_'.length)} ${data}`;
  };

  it('fail with ENOSYS, others as the profile says', () => {
    for (const abi of ['x64', 'x32', 'i386', 'arm64', 'arm'] as const) {
      expect(errno(abi, 436)).toBe('ERRNO 1');
      expect(errno(abi, 437)).toBe('ALLOW 0');
      expect(errno(abi, 438)).toBe('ERRNO 38');
    }
    expect(errno('x64', -1)).toBe('ERRNO 38');
    // arm has numbers of its own there.
    expect([0xeffff, 0xf0000, 0xf0005, 0xf0006].map((nr) => errno('arm', nr))).toEqual(['ERRNO 38', 'ERRNO 1', 'ALLOW 0', 'ERRNO 1']);
  });

  it('are like the others on demand, and where the default lets through', () => {
    expect(errno('x64', 438, { newerCalls: 'default' })).toBe('ERRNO 1');
    expect(errno('x64', 438, {}, { ...profile, defaultAction: 'SCMP_ACT_LOG' })).toBe('LOG 0');
    expect(errno('x64', 438, {}, { ...profile, defaultAction: 'SCMP_ACT_KILL' })).toBe('ERRNO 38');
  });
});

describe('the program', () => {
  it('decides by the number alone what it allows in any case, so that the kernel remembers it', () => {
    for (const arch of ['x64', 'arm64'] as const) {
      const filter = compileFilter(defaultProfile, { arch, capabilities: defaultCapabilities });
      const program = decode(filter.instructions);
      let constant = 0;
      for (const nr of syscallNumbers(arch).values()) {
        const asked = new Set<number>();
        const values = outcomes(program, (word) => {
          asked.add(word);
          return word === 0 ? nr : word === 1 ? (arch === 'x64' ? 0xc000003e : 0xc00000b7) : undefined;
        });
        const isAllowed = values.size === 1 && values.has(0x7fff0000);
        if (isAllowed) constant++;
        expect([...asked].some((word) => word > 1)).toBe(values.size > 1);
      }
      expect(constant).toBeGreaterThan(250);
    }
  });

  it('is small: a few comparisons for each call', () => {
    const { count, summary } = compileFilter(defaultProfile, { arch: 'x64', capabilities: defaultCapabilities });
    expect(summary).toBe('303 calls allowed, 6 by their arguments, the rest EPERM');
    expect(count).toBeLessThan(350);
  });

  it('holds as many rules as the kernel takes, and no more', () => {
    const many = (count: number): SeccompProfile => ({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: Array.from({ length: count }, (_, i) => ({
        names: ['read'],
        action: 'SCMP_ACT_ERRNO' as const,
        args: [{ index: 0, op: 'SCMP_CMP_EQ' as const, value: i * 3 }],
      })),
    });
    const filter = compileFilter(many(4000), { arch: 'x64' });
    expect(filter.count).toBeLessThanOrEqual(4096);
    for (const [value, action] of [
      [0, 'ERRNO'],
      [3, 'ERRNO'],
      [4, 'ALLOW'],
      [3 * 3999, 'ERRNO'],
      [3 * 4000, 'ALLOW'],
    ] as const)
      expect(simulate(filter, { arch: 'x64', nr: 0, args: [value] }).action).toBe(`SCMP_ACT_${action}`);
    expect(() => compileFilter(many(5000), { arch: 'x64' })).toThrow(/^the filter has 50\d\d instructions, and the kernel takes 4096/);
    const alternating = Array.from({ length: 5000 }, (_, i): SeccompRule => {
      const args = [0, 1].map((index): SeccompArg => ({ index, op: 'SCMP_CMP_EQ', value: i }));
      return { names: ['read'], action: i % 2 ? 'SCMP_ACT_LOG' : 'SCMP_ACT_ALLOW', args };
    });
    expect(() => compileFilter({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: alternating }, { arch: 'x64' })).toThrow(/^the filter has \d+ instructions/);
  });

  it('of a frozen profile is compiled once', () => {
    const options = { arch: 'x64', capabilities: defaultCapabilities } as const;
    const filter = compileFilter(defaultProfile, options);
    expect(compileFilter(defaultProfile, { ...options, capabilities: defaultCapabilities.toReversed() })).toBe(filter);
    expect(compileFilter(defaultProfile, { ...options, capabilities: [] })).not.toBe(filter);
    expect(Object.isFrozen(filter)).toBe(true);
    const own: SeccompProfile = { ...defaultProfile };
    expect(compileFilter(own, options)).not.toBe(compileFilter(own, options));
  });
});

it('options are checked', () => {
  expect(() => compileFilter(defaultProfile, { newerCall: 'ENOSYS' } as object)).toThrow('did you mean newerCalls?');
  expect(() => compileFilter(defaultProfile, { newerCalls: 'EPERM' as 'ENOSYS' })).toThrow('newerCalls: "EPERM": it has to be one of ENOSYS, default');
});
