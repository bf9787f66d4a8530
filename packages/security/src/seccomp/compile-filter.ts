import { checkOptions, errnoName, errnos, hostArch, type Arch, type SyscallAbi } from '@ctr/syscall';

import { defaultCapabilities, type Capability } from '../capability.js';
import { checkWord } from '../check.js';
import { actionOf, actionValues, letsThrough, verdictOf } from './action.js';
import { auditArchOf, natives } from './architecture.js';
import { Assembler, BPF_MAXINSNS, dataOffsets } from './assembler.js';
import { decideCalls, rangesOf, type Calls, type Rest } from './calls.js';
import { Decisions, leads, type Decision } from './decision.js';
import { defaultFilter } from './default-filter.js';
import { defaultProfile } from './default-profile.js';
import type { SeccompProfile, SeccompProfileFlag } from './profile.js';
import { abisOf, resolveOptionNames, settleProfile, type ResolvedProfile, type ResolveOptions } from './resolve-profile.js';
import { returnValue } from './rules.js';

/** How a profile is compiled. */
export interface CompileFilterOptions extends ResolveOptions {
  /**
   * What a call gets whose number is greater than that of any call the profile names, so that its author cannot have known it. `ENOSYS` makes programs
   * do without it, as they do on an older kernel; so does runc. It counts only where the profile's default is to refuse.
   * @default 'ENOSYS'
   */
  readonly newerCalls?: keyof typeof newerCallsWords;
}

const newerCallsWords = { ENOSYS: 'ENOSYS', default: 'default' } as const;
export const compileOptionNames = [...resolveOptionNames, 'newerCalls'] as const;

/** A profile as a program of the kernel's: what seccomp(2) takes. It cannot be changed, and is good for any number of plans. */
export interface SeccompFilter {
  /** An array of struct sock_filter, 8 bytes each, little-endian. It is not to be written to. */
  readonly instructions: Uint8Array;
  /** How many instructions these are: at most 4096. */
  readonly count: number;
  /** The machine. */
  readonly arch: Arch;
  /** The kinds of programs that it has rules for; any other is killed at its first call. */
  readonly abis: readonly SyscallAbi[];
  readonly flags: readonly SeccompProfileFlag[];
  /** Whether it asks a supervisor: it needs a listener then. */
  readonly notifies: boolean;
  /** What it does, in a few words: `331 calls allowed, 6 by their arguments, the rest EPERM`. */
  readonly summary: string;
  /** Names in the profile that ctr does not know; they have no effect. */
  readonly unknownSyscalls: readonly string[];
}

/**
 * Compiles a profile to a filter. A profile that is frozen, as {@link defaultProfile} is, is compiled once for each set of options.
 *
 * - A call is looked for in a tree, by its number: a few comparisons. What is allowed in any case is decided by the number alone, so that the kernel remembers it.
 * - Of several rules for one call, `first` ones count first. A rule without conditions rules out the others, whichever comes first. Of rules with conditions
 *   that hold at once, that counts which is on a later argument; then equality counts before less, and less before greater; then what fits fewer values.
 *   That is libseccomp's order, as far as it has one.
 * - A rule that says the same as the default says nothing, unless it is `first`.
 * - 32-bit programs, and those of x32, pass 32 bits: the lower halves of the values are compared.
 * - Programs of other kinds than the profile names are killed, as are x32 calls where it does not name x32.
 * - Rules count for socketcall(2) and ipc(2) on 32-bit x86 too; one that gives freedom on conditions does not, since these could not be checked there.
 *
 * Throws a `TypeError` or `RangeError` that begins with the place of what is wrong in the profile, and a `RangeError` for one of more than 4096 instructions.
 *
 * @see seccomp(2)
 * @example
 * ```ts
 * import { compileFilter, defaultCapabilities, defaultProfile } from '@ctr/security';
 * const filter = compileFilter(defaultProfile, { capabilities: defaultCapabilities });
 * console.log(filter.summary, filter.count);
 * ```
 */
export function compileFilter(profile: SeccompProfile, options: CompileFilterOptions = {}): SeccompFilter {
  checkOptions('compileFilter', options, compileOptionNames);
  const { newerCalls = 'ENOSYS', ...conditions } = options;
  checkWord('newerCalls', newerCalls, newerCallsWords);
  if (typeof profile !== 'object' || (profile as unknown) === null || !Object.isFrozen(profile) || !Object.isFrozen(profile.syscalls))
    return compile(settleProfile(profile, conditions), conditions.arch ?? hostArch(), newerCalls);
  const known = compiled.get(profile) ?? new Map<string, SeccompFilter>();
  compiled.set(profile, known);
  const { capabilities = [], arch = hostArch(), kernel = '' } = conditions;
  const key = keyOf(arch, newerCalls, kernel, capabilities);
  let filter = known.get(key);
  if (!filter) {
    const isDefault = profile === defaultProfile && key === keyOf(arch, 'ENOSYS', '', defaultCapabilities) && Object.hasOwn(natives, arch);
    known.set(key, (filter = isDefault ? defaultFilter(arch) : compile(settleProfile(profile, conditions), arch, newerCalls)));
  }
  return filter;
}

function keyOf(arch: Arch, newerCalls: string, kernel: string, capabilities: readonly Capability[]): string {
  return `${arch} ${newerCalls} ${kernel} ${capabilities.toSorted().join(' ')}`;
}

const compiled = new WeakMap<SeccompProfile, Map<string, SeccompFilter>>();

function compile(profile: ResolvedProfile, arch: Arch, newerCalls: 'ENOSYS' | 'default'): SeccompFilter {
  const { syscalls: rules, architectures, flags, unknownSyscalls } = profile;
  const otherwise = returnValue(profile.defaultAction, profile.defaultErrnoRet);
  const isPermissive = letsThrough(otherwise) || actionOf(otherwise) === actionValues.SCMP_ACT_TRACE;
  const decisions = new Decisions();
  const known = decisions.return(otherwise);
  const newer = newerCalls === 'default' || isPermissive ? known : decisions.return(actionValues.SCMP_ACT_ERRNO | errnos.ENOSYS);
  const rest: Rest = { known, newer, foreign: decisions.return(actionValues.SCMP_ACT_KILL_PROCESS) };
  const abis = abisOf(architectures);
  const calls = new Map(abis.map((abi) => [abi, decideCalls(rules, abi, otherwise, decisions)]));
  const assembler = assemble(abis, calls, rest);
  if (assembler.length > BPF_MAXINSNS)
    throw new RangeError(
      `the filter has ${assembler.length} instructions, and the kernel takes ${BPF_MAXINSNS}: the profile has too many conditions on arguments`,
    );
  const all = new Set([known, ...[...calls.values()].flatMap(({ decided }) => [...decided.values()])]);
  return Object.freeze({
    instructions: assembler.bytes(),
    count: assembler.length,
    arch,
    abis: Object.freeze(abis),
    flags: Object.freeze([...flags]),
    notifies: [...all].some((decision) => leads(decision, (value) => actionOf(value) === actionValues.SCMP_ACT_NOTIFY)),
    summary: summaryOf([...(calls.get(arch)?.decided.values() ?? [])], otherwise, isPermissive),
    unknownSyscalls: Object.freeze([...unknownSyscalls]),
  });
}

/** From the last to the first: what the machine's own programs go through comes right at the start. */
function assemble(abis: readonly SyscallAbi[], calls: ReadonlyMap<SyscallAbi, Calls>, rest: Rest): Assembler {
  const assembler = new Assembler();
  let dispatch = assembler.return({ value: actionValues.SCMP_ACT_KILL_PROCESS });
  const groups = new Set(abis.map((abi) => (abi === 'x32' ? 'x64' : abi)));
  for (const abi of [...groups].toReversed()) {
    const block = assembler.block(rangesOf(abi, calls, rest).tree());
    dispatch = assembler.branch('jeq', auditArchOf[abi], block, dispatch);
  }
  assembler.load(dataOffsets.arch);
  return assembler;
}

function summaryOf(calls: readonly Decision[], otherwise: number, isPermissive: boolean): string {
  const wanted = (value: number): boolean => letsThrough(value) !== isPermissive;
  const always = calls.filter((decision) => decision.kind === 'return' && wanted(decision.value)).length;
  const sometimes = calls.filter((decision) => decision.kind === 'test' && leads(decision, wanted)).length;
  const what = isPermissive ? 'restricted' : 'allowed';
  const parts = [
    ...(always > 0 || sometimes === 0 ? [`${counted(always)} ${what}`] : []),
    ...(sometimes > 0 ? [always > 0 ? `${sometimes} by their arguments` : `${counted(sometimes)} ${what} by their arguments`] : []),
  ];
  return [...parts, `the rest ${fateOf(otherwise)}`].join(', ');
}

function counted(calls: number): string {
  return `${calls} ${calls === 1 ? 'call' : 'calls'}`;
}

function fateOf(value: number): string {
  const { action, data } = verdictOf(value);
  return action === 'SCMP_ACT_ERRNO' ? errnoName(data) : fates[action];
}

const fates = {
  SCMP_ACT_KILL_PROCESS: 'killed',
  SCMP_ACT_KILL_THREAD: 'killed',
  SCMP_ACT_TRAP: 'trapped',
  SCMP_ACT_NOTIFY: 'left to a supervisor',
  SCMP_ACT_TRACE: 'left to a tracer',
  SCMP_ACT_LOG: 'logged',
  SCMP_ACT_ALLOW: 'allowed',
} as const;
