import { checkOptions, errnoName, errnos, hostArch, syscallNumbers, type Arch, type SyscallAbi } from '@ctr/syscall';

import { checkWord } from '../check.js';
import { actionOf, actionValues, letsThrough, verdictOf } from './action.js';
import { ARM_PRIVATE, auditArchOf, X32_SYSCALL_BIT } from './architecture.js';
import { Assembler, BPF_MAXINSNS, dataOffsets } from './assembler.js';
import { Decisions, type Decision } from './decision.js';
import type { SeccompProfile, SeccompProfileFlag, SeccompRule } from './profile.js';
import { abisOf, resolveOptionNames, resolveProfile, type ResolvedProfile, type ResolveOptions } from './resolve-profile.js';
import { returnValue, rulesByNumber } from './rules.js';
import { Ranges } from './search-tree.js';

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
  /** Names in the profile that no architecture of the filter has. */
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
  if (!Object.isFrozen(profile) || !Object.isFrozen(profile.syscalls))
    return compile(resolveProfile(profile, conditions), conditions.arch ?? hostArch(), newerCalls);
  const known = compiled.get(profile) ?? new Map<string, SeccompFilter>();
  compiled.set(profile, known);
  const { capabilities = [], arch = hostArch(), kernel = '' } = conditions;
  const key = `${arch} ${newerCalls} ${kernel} ${capabilities.toSorted().join(' ')}`;
  let filter = known.get(key);
  if (!filter) known.set(key, (filter = compile(resolveProfile(profile, conditions), arch, newerCalls)));
  return filter;
}

const none: Decided = new Map();
const compiled = new WeakMap<SeccompProfile, Map<string, SeccompFilter>>();

function compile(profile: ResolvedProfile, arch: Arch, newerCalls: 'ENOSYS' | 'default'): SeccompFilter {
  const { syscalls: rules, architectures, flags, unknownSyscalls } = profile;
  const otherwise = returnValue(profile.defaultAction, profile.defaultErrnoRet);
  const isPermissive = letsThrough(otherwise) || verdictOf(otherwise).action === 'SCMP_ACT_TRACE';
  const decisions = new Decisions();
  const rest = decisions.return(otherwise);
  const newer = newerCalls === 'default' || isPermissive ? rest : decisions.return(actionValues.SCMP_ACT_ERRNO | errnos.ENOSYS);
  const killed = decisions.return(actionValues.SCMP_ACT_KILL_PROCESS);
  const abis = abisOf(architectures);
  const tables = new Map(abis.map((abi) => [abi, decideCalls(rules, abi, otherwise, decisions)]));

  const assembler = new Assembler();
  let dispatch = assembler.return(killed);
  // From the last to the first: what the machine's own programs go through comes right at the start.
  for (const abi of abis.filter((one) => one !== 'x32' || !tables.has('x64')).toReversed()) {
    const ranges = new Ranges();
    if (abi === 'x32') ranges.push(0, killed);
    else fill(ranges, 0, tables.get(abi) ?? none, lastNamed(rules, abi), { rest, newer });
    if (abi === 'arm') fill(ranges, ARM_PRIVATE, tables.get(abi) ?? none, undefined, { rest, newer });
    if (abi === 'x64' || abi === 'x32') fillX32(ranges, tables.get('x32'), lastNamed(rules, 'x32'), { rest, newer, killed });
    const block = assembler.block(ranges.tree());
    dispatch = assembler.branch('jeq', auditArchOf[abi], block, dispatch);
  }
  assembler.load(dataOffsets.arch);
  if (assembler.length > BPF_MAXINSNS)
    throw new RangeError(
      `the filter has ${assembler.length} instructions, and the kernel takes ${BPF_MAXINSNS}: the profile has too many conditions on arguments`,
    );
  const all = new Set([rest, ...[...tables.values()].flatMap((table) => [...table.values()])]);
  return Object.freeze({
    instructions: assembler.bytes(),
    count: assembler.length,
    arch,
    abis: Object.freeze(abis),
    flags: Object.freeze([...flags]),
    notifies: [...all].some((decision) => leads(decision, (value) => actionOf(value) === actionValues.SCMP_ACT_NOTIFY)),
    summary: summaryOf([...(tables.get(arch) ?? none).values()], otherwise, isPermissive),
    unknownSyscalls: Object.freeze([...unknownSyscalls]),
  });
}

/** The decision on each call that there are rules for, by its number, in ascending order. */
type Decided = ReadonlyMap<number, Decision>;

function decideCalls(rules: readonly SeccompRule[], abi: SyscallAbi, otherwise: number, decisions: Decisions): Decided {
  const some = rulesByNumber(rules, abi, otherwise);
  const decided = new Map<number, Decision>();
  for (const number of Uint32Array.from(some.keys()).toSorted()) decided.set(number, decisions.byRules(some.get(number) ?? [], otherwise, abi));
  return decided;
}

/** The greatest number of a call that the profile names, to whatever end. */
function lastNamed(rules: readonly SeccompRule[], abi: SyscallAbi): number | undefined {
  const numbers = syscallNumbers(abi);
  let last: number | undefined;
  for (const { names } of rules)
    for (const name of names ?? []) {
      const number = numbers.get(name);
      if (number !== undefined && (abi !== 'arm' || number < ARM_PRIVATE) && (last === undefined || number > last)) last = number;
    }
  return last;
}

/** Fills the ranges from a number on with decisions on calls, and what lies between and behind them. */
function fill(ranges: Ranges, begin: number, calls: Decided, last: number | undefined, { rest, newer }: { rest: Decision; newer: Decision }): void {
  ranges.push(begin, rest);
  calls.forEach((decision, number) => {
    if (number < begin) return;
    ranges.push(number, decision);
    ranges.push(number + 1, rest);
  });
  if (last !== undefined) ranges.push(last + 1, newer);
}

function fillX32(
  ranges: Ranges,
  calls: Decided | undefined,
  last: number | undefined,
  { rest, newer, killed }: { rest: Decision; newer: Decision; killed: Decision },
): void {
  if (calls) fill(ranges, X32_SYSCALL_BIT, calls, last, { rest, newer });
  else {
    ranges.push(X32_SYSCALL_BIT, killed);
    // -1 is what a tracer makes of a call that is to be left out.
    ranges.push(0xffffffff, newer);
  }
}

function leads(decision: Decision, to: (value: number) => boolean): boolean {
  return decision.kind === 'return' ? to(decision.value) : leads(decision.yes, to) || leads(decision.no, to);
}

function summaryOf(calls: readonly Decision[], otherwise: number, isPermissive: boolean): string {
  const wanted = (value: number): boolean => letsThrough(value) !== isPermissive;
  const always = calls.filter((decision) => decision.kind === 'return' && wanted(decision.value)).length;
  const sometimes = calls.filter((decision) => decision.kind === 'test' && leads(decision, wanted)).length;
  const what = isPermissive ? 'refused' : 'allowed';
  return `${always} ${always === 1 ? 'call' : 'calls'} ${what}${sometimes > 0 ? `, ${sometimes} by their arguments` : ''}, the rest ${fateOf(otherwise)}`;
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
