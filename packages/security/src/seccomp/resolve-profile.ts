import { release } from 'node:os';

import { checkOptions, hostArch, syscallNumbers, quote, type Arch, type SyscallAbi } from '@ctr/syscall';

import { checkCapabilities, type Capability } from '../capability.js';
import { architectures, natives, type SeccompArchitecture } from './architecture.js';
import { checkProfile } from './check-profile.js';
import { isMultiplexed } from './multiplexer.js';
import type { SeccompCondition, SeccompProfile, SeccompProfileFlag, SeccompRule } from './profile.js';
import { withoutFirst } from './without-first.js';

/** What the conditions of a profile are asked of. */
export interface ResolveOptions {
  /** The capabilities that the program can have: its bounding set. @default none */
  readonly capabilities?: readonly Capability[];
  /** The machine. @default the architecture of this process */
  readonly arch?: Arch;
  /** The version of the kernel, as in `6.1.0-18-amd64`. @default that of this one */
  readonly kernel?: string;
}

export const resolveOptionNames = ['capabilities', 'arch', 'kernel'] as const;

/** A profile as the OCI runtime-spec has it, without conditions. */
export interface ResolvedProfile extends SeccompProfile {
  /** The machine's own kind of programs, and the others that the rules are for. */
  readonly architectures: readonly SeccompArchitecture[];
  readonly flags: readonly SeccompProfileFlag[];
  readonly syscalls: readonly SeccompRule[];
  /** Names in its rules that ctr does not know: a mistake, newer than ctr, or of a machine that it does not run on. They have no effect. */
  readonly unknownSyscalls: readonly string[];
}

/**
 * Settles the conditions of a profile: which rules count for these capabilities, this machine and this kernel. What comes out is the form of the OCI runtime-spec,
 * which other runtimes take as well: a rule that is `first` is said by others, since the spec has no order of rules. The machine's own programs are always among its architectures.
 *
 * Throws a `TypeError` or `RangeError` that begins with the place of what is wrong: `syscalls[3].args[0].index`; a `TypeError`, too, for a `first` rule that the spec cannot say:
 * one with conditions on more than the lower half of one argument.
 *
 * @example
 * ```ts
 * import { defaultProfile, resolveProfile } from '@ctr/security';
 * const { syscalls } = resolveProfile(defaultProfile, { capabilities: ['CAP_SYS_TIME'], arch: 'x64', kernel: '6.1' });
 * console.log(syscalls.some(({ names }) => names?.includes('clock_settime'))); // true
 * ```
 */
export function resolveProfile(profile: SeccompProfile, options: ResolveOptions = {}): ResolvedProfile {
  const settled = settleProfile(profile, options);
  return { ...settled, syscalls: withoutFirst(settled.syscalls) };
}

/** Settles the conditions of a profile. Rules that are `first` stay so: a filter has an order. */
export function settleProfile(profile: SeccompProfile, options: ResolveOptions = {}): ResolvedProfile {
  checkOptions('resolveProfile', options, resolveOptionNames);
  const { capabilities = [], arch = hostArch(), kernel = release() } = options;
  checkProfile(profile);
  checkCapabilities('capabilities', capabilities);
  if (!Object.hasOwn(natives, arch)) throw new RangeError(`arch is ${quote(arch)}: filters are made for x64 and arm64`);
  const version = versionOf('kernel', kernel);
  const holds = new Set<string>(capabilities);
  const counts = ({ includes, excludes }: SeccompRule): boolean =>
    (!includes || hasAll(includes, holds, arch, version)) && !(excludes && hasAny(excludes, holds, arch, version));
  const listed = architecturesOf(profile, arch);
  const syscalls = (profile.syscalls ?? []).filter(counts).map(plain);
  return {
    defaultAction: profile.defaultAction,
    ...(typeof profile.defaultErrnoRet === 'number' && { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: listed,
    flags: profile.flags ?? [],
    syscalls,
    unknownSyscalls: unknownAmong(syscalls, listed),
  };
}

/** The kinds of programs that a filter is for, by ctr's names; the machine's own comes first. */
export function abisOf(listed: readonly SeccompArchitecture[]): SyscallAbi[] {
  return listed.flatMap((architecture) => architectures[architecture] ?? []);
}

function architecturesOf({ architectures: listed, archMap }: SeccompProfile, arch: Arch): SeccompArchitecture[] {
  const native = natives[arch].architecture;
  const mapped = archMap?.find(({ architecture }) => architecture === native);
  return [...new Set([native, ...(listed ?? []), ...(mapped?.subArchitectures ?? [])])];
}

function plain({ names, name, action, errnoRet, args, first }: SeccompRule): SeccompRule {
  return {
    names: typeof name === 'string' ? [name] : (names ?? []),
    action,
    ...(typeof errnoRet === 'number' && { errnoRet }),
    ...(args && args.length > 0 && { args }),
    ...(first === true && { first }),
  };
}

type Version = readonly [major: number, minor: number];

function hasAll({ caps, arches, minKernel }: SeccompCondition, holds: ReadonlySet<string>, arch: Arch, version: Version): boolean {
  return (
    (caps ?? []).every((capability) => holds.has(capability)) &&
    (!arches?.length || arches.includes(natives[arch].condition)) &&
    (!minKernel || isAtLeast(version, minKernel))
  );
}

function hasAny({ caps, arches, minKernel }: SeccompCondition, holds: ReadonlySet<string>, arch: Arch, version: Version): boolean {
  return (
    (caps ?? []).some((capability) => holds.has(capability)) ||
    (arches ?? []).includes(natives[arch].condition) ||
    (typeof minKernel === 'string' && minKernel !== '' && isAtLeast(version, minKernel))
  );
}

function isAtLeast([major, minor]: Version, least: string): boolean {
  const [leastMajor, leastMinor] = versionOf('minKernel', least);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

function versionOf(what: string, text: string): Version {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(text) ?? [];
  if (major === undefined || minor === undefined) throw new RangeError(`${what} is ${quote(text)}: it begins with a version such as 6.1`);
  return [Number(major), Number(minor)];
}

function unknownAmong(rules: readonly SeccompRule[], listed: readonly SeccompArchitecture[]): string[] {
  // The filter's own first: the tables of others are not read unless they have to be.
  const abis = [...new Set([...abisOf(listed), ...Object.values(architectures).filter((abi) => abi !== undefined)])];
  const isKnown = (name: string): boolean => abis.some((abi) => syscallNumbers(abi).has(name)) || isMultiplexed(name);
  const unknown = new Set<string>();
  for (const { names } of rules) for (const name of names ?? []) if (!isKnown(name)) unknown.add(name);
  return [...unknown];
}
