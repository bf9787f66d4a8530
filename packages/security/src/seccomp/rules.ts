import { syscallNumbers, type SyscallAbi } from '@ctr/syscall';

import { actionValues, type SeccompAction } from './action.js';
import { hasWideArguments } from './architecture.js';
import { isMultiplexed, onMultiplexer } from './multiplexer.js';
import type { SeccompArg, SeccompRule } from './profile.js';

/** A condition on an argument: which of its bits are looked at, and what they are compared with. */
export interface Condition {
  readonly index: number;
  readonly op: SeccompArg['op'];
  readonly mask: bigint;
  readonly value: bigint;
}

/** What is done with a call on some conditions, all of which have to hold. */
export interface CallRule {
  /** What the filter returns. */
  readonly returns: number;
  readonly conditions: readonly Condition[];
  readonly first: boolean;
  /** Where it comes from, for messages. */
  readonly where: string;
}

const U64 = 2n ** 64n - 1n;
const U32 = 2n ** 32n - 1n;
/** Of a call. Far more than fit into a filter, which has 4096 instructions at most; more would take time and memory until that is known. */
const MAX_RULES = 16_384;
/** What an errno is if a profile does not say: EPERM. */
const DEFAULT_DATA = 1;

/** The value that a filter returns for an action. */
export function returnValue(action: SeccompAction, errnoRet: number | null | undefined): number {
  const data = action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE' ? (errnoRet ?? DEFAULT_DATA) : 0;
  return (actionValues[action] | data) >>> 0;
}

/**
 * The rules for each call of a kind of programs, by its number, in the order in which they are to be looked at: the first that holds counts.
 * Throws a `TypeError` for two rules that say something different on the same conditions.
 */
export function rulesByNumber(rules: readonly SeccompRule[], abi: SyscallAbi, otherwise: number): Map<number, CallRule[]> {
  const numbers = syscallNumbers(abi);
  const all = new Map<number, CallRule[]>();
  const multiplexed = new Map<string, CallRule[]>();
  for (const [i, rule] of rules.entries()) {
    const returns = returnValue(rule.action, rule.errnoRet);
    const first = rule.first === true;
    // As libseccomp and all that use it have it: what says the same as the profile's default says nothing, also against other rules.
    if (returns === otherwise && !first) continue;
    for (const conditions of alternatives(rule.args ?? [], abi)) {
      const one: CallRule = { returns, conditions, first, where: `syscalls[${i}]` };
      for (const name of new Set(rule.names ?? [])) {
        const number = numbers.get(name);
        if (number !== undefined) append(all, number, one);
        if (abi === 'i386' && isMultiplexed(name)) append(multiplexed, name, one);
      }
    }
  }
  for (const [name, some] of multiplexed) {
    const other = onMultiplexer(name, inOrder(some), otherwise);
    if (other) append(all, other.number, other.rule);
  }
  for (const [number, some] of all) if (some.length > 1) all.set(number, inOrder(some));
  return all;
}

function append<K extends string | number>(map: Map<K, CallRule[]>, key: K, rule: CallRule): void {
  const others = map.get(key);
  if (others && others.length >= MAX_RULES)
    throw new RangeError(`${rule.where}: more than ${MAX_RULES} rules for the call ${key}: a filter has no more than 4096 instructions`);
  if (others) others.push(rule);
  else map.set(key, [rule]);
}

/** The conditions of a rule. Two of the same argument make rules of their own of all of them: that is how runc and crun have read such a rule from the first. */
function alternatives(args: readonly SeccompArg[], abi: SyscallAbi): Condition[][] {
  const width = hasWideArguments(abi) ? U64 : U32;
  const conditions = args.map(({ index, op, value, valueTwo }): Condition => {
    const isMasked = op === 'SCMP_CMP_MASKED_EQ';
    const mask = isMasked ? BigInt(value) & width : width;
    return { index, op, mask, value: BigInt(isMasked ? (valueTwo ?? 0) : value) & mask };
  });
  const isRepeated = new Set(args.map(({ index }) => index)).size < args.length;
  const some = isRepeated ? conditions.map((condition) => [condition]) : [conditions];
  // Without bits to look at, it always holds.
  return some.map((rule) => rule.filter(({ mask }) => mask !== 0n).toSorted((a, b) => a.index - b.index));
}

/**
 * First what is marked so; then one without conditions rules out all others, whichever comes first in the profile; then the others in an order of their own:
 * libseccomp's, where that has one that does not depend on how its tree happens to grow.
 */
function inOrder(rules: readonly CallRule[]): CallRule[] {
  const first = rules.filter((rule) => rule.first);
  const rest = rules.filter((rule) => !rule.first);
  const always = rest.find(({ conditions }) => conditions.length === 0);
  if (always) return [...first, always];
  const sorted = rest.toSorted(precedence);
  const same = new Map<string, CallRule>();
  for (const rule of sorted) {
    const key = rule.conditions.map(({ index, op, mask, value }) => `${index} ${op} ${mask} ${value}`).join();
    const other = same.get(key);
    if (!other) same.set(key, rule);
    else if (other.returns !== rule.returns) throw new TypeError(`${other.where}, ${rule.where}: they differ in what is done on the same conditions`);
  }
  return [...first, ...sorted];
}

const classes: Record<SeccompArg['op'], number> = {
  SCMP_CMP_EQ: 0,
  SCMP_CMP_NE: 0,
  SCMP_CMP_MASKED_EQ: 1,
  SCMP_CMP_LE: 2,
  SCMP_CMP_LT: 2,
  SCMP_CMP_GE: 3,
  SCMP_CMP_GT: 3,
};

/**
 * Which rule is looked at before the other (negative: the first): the one on a later argument; equality before less before greater;
 * greater values first, but with less the smaller ones; more conditions before fewer; and the one that comes first in the profile.
 */
function precedence({ conditions: a }: CallRule, { conditions: b }: CallRule): number {
  for (let i = 0; ; i++) {
    const [one, other] = [a[i], b[i]];
    if (!one || !other) return (one ? 0 : 1) - (other ? 0 : 1);
    if (one.index !== other.index) return other.index - one.index;
    if (classes[one.op] !== classes[other.op]) return classes[one.op] - classes[other.op];
    if (one.value !== other.value) return one.value < other.value === (classes[one.op] === classes.SCMP_CMP_LT) ? -1 : 1;
  }
}
