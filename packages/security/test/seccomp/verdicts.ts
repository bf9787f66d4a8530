// What two filters say of the same calls.
import { resolveProfile, type ResolvedProfile, type SeccompProfile } from '@ctr/security';
import { syscallNumbers, type SyscallAbi } from '@ctr/syscall';

import { verdictOf } from '../../src/seccomp/action.js';
import { auditArchOf } from '../../src/seccomp/architecture.js';
import { decode, run } from '../../src/seccomp/simulate.js';

export const everyArchitecture = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32', 'SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'] as const;
const auditArches = [...new Set(Object.values(auditArchOf)), 0xc00000f3];
const abis: Readonly<Record<number, readonly SyscallAbi[]>> = Object.fromEntries(
  auditArches.map((arch) => [arch, (['x64', 'x32', 'i386', 'arm64', 'arm'] as const).filter((abi) => auditArchOf[abi] === arch)]),
);
/** Where numbers end, and begin anew. */
const edges = [
  0x3fffffff, 0x7fffffff, 0x80000000, 0x80000066, 0xc0000000, 0xfffffffe, 0xffffffff, 0xf0000, 0xf0001, 0xf0002, 0xf0005, 0xf0006, 0xf0007, 600, 1024,
];
const numbers = [...Array.from({ length: 601 }, (_, i) => i), ...Array.from({ length: 601 }, (_, i) => 0x40000000 + i), ...edges];

/** A call on which two filters differ. */
export interface Difference {
  readonly arch: string;
  readonly nr: number;
  readonly args: readonly bigint[];
  readonly ours: string;
  readonly theirs: string;
}

/** Compares two filters of one profile: every number of every kind of programs, and around each value of its conditions. */
export function compare(
  profile: ResolvedProfile,
  ours: Uint8Array,
  theirs: Uint8Array,
  isKnown: (difference: Difference) => boolean = () => false,
  only?: SyscallAbi,
): { compared: number; differences: Difference[] } {
  const [one, other] = [decode(ours), decode(theirs)];
  const differences: Difference[] = [];
  let compared = 0;
  for (const arch of only === undefined ? auditArches : [auditArchOf[only]]) {
    const conditional = new Set<number>();
    for (const abi of abis[arch] ?? [])
      for (const { names, args } of profile.syscalls) if (args?.length) for (const name of names ?? []) conditional.add(syscallNumbers(abi).get(name) ?? -1);
    if (arch === auditArchOf.i386) for (const multiplexer of [102, 117]) conditional.add(multiplexer);
    for (const nr of numbers) {
      // Alone, each of the two takes the other's calls for those of an unknown architecture.
      if ((only === 'x32' && nr < 0x40000000) || (only === 'x64' && nr >= 0x40000000)) continue;
      for (const args of conditional.has(nr) ? argumentsOf(profile, arch, nr) : [[]]) {
        const data = new Uint32Array(16);
        data[0] = nr;
        data[1] = arch;
        for (const [i, value] of args.entries()) {
          data[4 + i * 2] = Number(value & 0xffffffffn);
          data[5 + i * 2] = Number(value >> 32n);
        }
        compared++;
        const [a, b] = [run(one, data), run(other, data)];
        if (a === b) continue;
        const difference = { arch: abis[arch]?.join() ?? '', nr, args, ours: shown(a), theirs: shown(b) };
        if (!isKnown(difference)) differences.push(difference);
      }
    }
  }
  return { compared, differences };
}

function shown(value: number): string {
  const { action, data } = verdictOf(value);
  return `${action.slice(9)} ${data}`;
}

const U64 = 2n ** 64n - 1n;
const MOST = 400;

/** Arguments around the values of the conditions on a call: each with each, or as many of these as is bearable. */
function argumentsOf(profile: ResolvedProfile, arch: number, nr: number): bigint[][] {
  const isMultiplexer = arch === auditArchOf.i386 && (nr === 102 || nr === 117);
  const values = Array.from({ length: 6 }, () => new Set([0n]));
  if (isMultiplexer) for (let i = 0n; i < 32n; i++) values[0]?.add(i).add(i | (1n << 16n));
  for (const { names, args } of profile.syscalls) {
    if (!names?.some((name) => (abis[arch] ?? []).some((abi) => syscallNumbers(abi).get(name) === nr))) continue;
    for (const { index, value, valueTwo } of args ?? []) {
      for (const number of [BigInt(value), BigInt(valueTwo ?? 0)])
        for (const near of [number - 1n, number, number + 1n, number | (1n << 32n), number ^ (1n << 63n), ~number, number & 0xffffffffn])
          values[index]?.add(BigInt.asUintN(64, near));
      values[index]?.add(U64).add(BigInt.asUintN(64, (BigInt(value) & BigInt(valueTwo ?? 0)) | (~BigInt(value) & U64)));
    }
  }
  const sizes = values.map((set) => set.size);
  const all = values.map((set) => [...set]);
  const total = sizes.reduce((product, size) => product * size, 1);
  // A step that has no divisor in common with the sizes comes by all combinations in the end.
  const stride = total <= MOST ? 1 : 7919;
  return Array.from({ length: Math.min(total, MOST) }, (_, i) => {
    let rest = (i * stride) % total;
    return all.map((some) => {
      const value = some[rest % some.length] as bigint;
      rest = Math.floor(rest / some.length);
      return value;
    });
  });
}

/** A profile for every kind of programs, without the calls that another does not know. */
export function without(profile: SeccompProfile, unknown: ReadonlySet<string>, options: Parameters<typeof resolveProfile>[1] = {}): ResolvedProfile {
  const resolved = resolveProfile(profile, { arch: 'x64', kernel: '6.1', ...options });
  const syscalls = resolved.syscalls.map((rule) => ({ ...rule, names: (rule.names ?? []).filter((name) => !unknown.has(name)) }));
  return { ...resolved, architectures: everyArchitecture, syscalls };
}
