// Filters against those that libseccomp makes of the same profiles.
import {
  capabilityNames,
  compileFilter,
  defaultCapabilities,
  defaultProfile,
  type SeccompAction,
  type SeccompArg,
  type SeccompOperator,
  type SeccompProfile,
  type SeccompRule,
} from '@ctr/security';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { architectures } from '../../src/seccomp/architecture.js';
import { opcodes } from '../../src/seccomp/assembler.js';
import { decode } from '../../src/seccomp/simulate.js';
import { Libseccomp, missing } from './libseccomp.js';
import { compare, everyArchitecture, without, type Difference } from './verdicts.js';

const reason = missing();
let started: Libseccomp | undefined;
beforeAll(() => {
  if (reason === undefined) started = new Libseccomp();
});
afterAll(() => started?.[Symbol.dispose]());

function oracle(): Libseccomp {
  if (!started) throw new Error(`${reason}`);
  return started;
}

/** What the default profile has in common with Docker's: all but the rules that other runtimes cannot have; the families of sockets as Docker names them. */
const dockers: SeccompProfile = {
  ...defaultProfile,
  syscalls: [
    ...(defaultProfile.syscalls ?? [])
      .filter(({ first }) => first !== true)
      .map((rule) => ({ ...rule, names: (rule.names ?? []).filter((name) => name !== 'socket') })),
    { names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 38, op: 'SCMP_CMP_LT' }] },
    { names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 39, op: 'SCMP_CMP_EQ' }] },
    { names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 40, op: 'SCMP_CMP_GT' }] },
  ],
};

describe("Docker's default profile", () => {
  for (const [what, capabilities] of Object.entries({ none: [], 'the default ones': defaultCapabilities, all: capabilityNames })) {
    for (const optimize of [0, 2] as const) {
      it(`is the same, with ${what} of the capabilities, and libseccomp's optimization ${optimize}`, ({ skip }) => {
        skip(reason !== undefined, reason);
        const unknown = oracle().unknown((dockers.syscalls ?? []).flatMap((rule) => rule.names ?? []));
        const profile = without(dockers, unknown, { capabilities });
        const theirs = oracle().filter(profile, optimize);
        const ours = compileFilter(profile, { arch: 'x64', newerCalls: 'default' });
        const { compared, differences } = compare(profile, ours.instructions, theirs);
        expect(differences).toEqual([]);
        expect(compared).toBeGreaterThan(6000);
        expect(unknown.size).toBeLessThan(30);
        expect(ours.instructions.length).toBeLessThan(theirs.length / 2);
      });
    }
  }
});

/** Some of these calls are not there for some kinds of programs, or can be made in two ways. */
const names = ['read', 'ioctl', 'socket', 'shmat', 'semop', 'clone', 'openat', 'waitpid', 'cacheflush', 'time', 'recvmmsg', 'execve', 'io_setup', 'getpid'];
const narrow = [0n, 1n, 2n, 5n, 0x80n, 0x7fffffffn, 0x80000000n, 0xffffffffn];
const wide = [...narrow, 0x100000000n, 0x100000001n, 0x500000005n, 2n ** 63n, 2n ** 64n - 1n];
const actions: SeccompAction[] = [
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_KILL',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_LOG',
  'SCMP_ACT_TRACE',
];
const operators: SeccompOperator[] = ['SCMP_CMP_NE', 'SCMP_CMP_LT', 'SCMP_CMP_LE', 'SCMP_CMP_EQ', 'SCMP_CMP_GE', 'SCMP_CMP_GT', 'SCMP_CMP_MASKED_EQ'];
const indices = fc.constantFrom(0, 1, 2);

function argument(index: number, values: readonly bigint[], ops: readonly SeccompOperator[]): fc.Arbitrary<SeccompArg> {
  return fc.record({ index: fc.constant(index), op: fc.constantFrom(...ops), value: fc.constantFrom(...values), valueTwo: fc.constantFrom(...values) });
}

/** One rule for a call, with any number of any conditions. */
function oneRule(name: string, action: SeccompAction): fc.Arbitrary<SeccompRule[]> {
  const args = fc.uniqueArray(indices, { maxLength: 3 }).chain((some) => fc.tuple(...some.map((index) => argument(index, wide, operators))));
  return args.map((conditions) => [{ names: [name], action, args: conditions }]);
}

/** Several rules for a call, with a condition each. */
function severalRules(name: string, action: fc.Arbitrary<SeccompAction>, most: number, ops: readonly SeccompOperator[]): fc.Arbitrary<SeccompRule[]> {
  const args = indices.chain((index) => fc.tuple(argument(index, narrow, ops)));
  return fc.array(fc.record({ names: fc.constant([name]), action, args }), { minLength: 1, maxLength: most });
}

function profileOf(rules: (name: string, action: SeccompAction) => fc.Arbitrary<SeccompRule[]>): fc.Arbitrary<SeccompProfile> {
  return fc
    .record({ defaultAction: fc.constantFrom(...actions), action: fc.constantFrom(...actions), some: fc.subarray(names, { minLength: 1 }) })
    .chain(({ defaultAction, action, some }) =>
      fc.tuple(...some.map((name) => rules(name, action))).map((all): SeccompProfile => ({ defaultAction, syscalls: all.flat() })),
    );
}

/**
 * Compares the filters for one kind of programs after the other; how many verdicts there were. What is asked here of libseccomp 2.5.4 is what it gets right. It does not if
 * - several rules for a call have several conditions: where the first condition of one holds, but not the second, it does not look at the others;
 * - several rules for a call have values beyond 32 bits, with less and greater;
 * - rules with different actions are such that more than two hold at once, or one has SCMP_CMP_NE;
 * - a filter for several kinds of programs begins with a call that has conditions: see {@link forgetsNumber}.
 */
function compareEach(profile: SeccompProfile): number {
  const resolved = without(profile, new Set());
  const ours = compileFilter(resolved, { arch: 'x64', newerCalls: 'default' });
  let total = 0;
  for (const architecture of everyArchitecture) {
    const theirs = oracle().filter({ ...resolved, architectures: [architecture] });
    if (forgetsNumber(theirs)) continue;
    const { compared, differences } = compare(resolved, ours.instructions, theirs, isKnown, architectures[architecture]);
    expect(differences).toEqual([]);
    total += compared;
  }
  return total;
}

/** Whether libseccomp looks for the number of the call in what it has loaded last, which is the architecture. */
function forgetsNumber(theirs: Uint8Array): boolean {
  const third = decode(theirs)[4];
  return [opcodes.jeq, opcodes.jge, opcodes.jgt].some((op) => third !== undefined && op === (third & 0xffff));
}

/**
 * What ctr does otherwise: conditions on the arguments of a call cannot be checked where it is made by socketcall(2) or ipc(2),
 * and libseccomp compares what stands in the same place there.
 */
function isKnown({ arch, nr }: Difference): boolean {
  return arch === 'i386' && (nr === 102 || nr === 117);
}

describe('profiles of any making are the same', () => {
  it('with one rule for each call', ({ skip }) => {
    skip(reason !== undefined, reason);
    let compared = 0;
    fc.assert(
      fc.property(profileOf(oneRule), (profile) => void (compared += compareEach(profile))),
      { numRuns: 50 },
    );
    expect(compared).toBeGreaterThan(200_000);
  });

  it('with several rules for each call, all of the same action', ({ skip }) => {
    skip(reason !== undefined, reason);
    let compared = 0;
    const profile = profileOf((name, action) => severalRules(name, fc.constant(action), 5, operators));
    fc.assert(
      fc.property(profile, (one) => void (compared += compareEach(one))),
      { numRuns: 50 },
    );
    expect(compared).toBeGreaterThan(200_000);
  });

  it('with two rules for each call, of different actions', ({ skip }) => {
    skip(reason !== undefined, reason);
    let compared = 0;
    let refused = 0;
    const orders = [['SCMP_CMP_EQ', 'SCMP_CMP_LT', 'SCMP_CMP_LE'], ['SCMP_CMP_EQ', 'SCMP_CMP_GE', 'SCMP_CMP_GT'], ['SCMP_CMP_MASKED_EQ']] as const;
    const profile = profileOf((name) => fc.constantFrom(...orders).chain((ops) => severalRules(name, fc.constantFrom(...actions), 2, ops)));
    fc.assert(
      fc.property(profile, (one) => {
        try {
          compared += compareEach(one);
        } catch (error) {
          // Both refuse what contradicts itself.
          if (!/they differ in what is done|File exists/.test(String(error))) throw error;
          refused++;
        }
      }),
      { numRuns: 50 },
    );
    expect(compared).toBeGreaterThan(100_000);
    expect(refused).toBeLessThan(40);
  });
});
