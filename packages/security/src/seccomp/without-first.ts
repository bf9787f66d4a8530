import { quote } from '@ctr/syscall';

import type { SeccompArg, SeccompRule } from './profile.js';

const BITS = 32;
const ALL_BITS = 0xffffffff;

/** The rules of one call: those that are looked at first, in order, and the others. */
interface RulesOfCall {
  readonly first: readonly SeccompRule[];
  readonly others: readonly SeccompRule[];
}

/**
 * The same rules without `first`, which the OCI runtime-spec does not have. Rules of the spec have no order, so what is refused for some values of an argument
 * becomes what is allowed for all other values: for each bit in which a value can differ, one rule with a mask. The upper halves of arguments stay out of it.
 * A value may be refused for some bits of one more argument.
 *
 * Throws a `TypeError` for a rule that cannot be said so.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#seccomp
 */
export function withoutFirst(rules: readonly SeccompRule[]): SeccompRule[] {
  const named = new Set(rules.filter(({ first }) => first).flatMap(({ names }) => names ?? []));
  if (named.size === 0) return [...rules];
  const rest = rules.flatMap((rule): SeccompRule[] => {
    const names = (rule.names ?? []).filter((name) => !named.has(name));
    return names.length === 0 ? [] : [{ ...rule, names }];
  });
  // Calls with the same rules share them.
  const groups = new Map<string, { readonly names: string[]; readonly rules: readonly SeccompRule[] }>();
  for (const name of named) {
    const own = rules.filter(({ names }) => names?.includes(name));
    const said = inOrder(name, { first: own.filter(({ first }) => first), others: own.filter(({ first }) => !first) });
    const key = JSON.stringify(said, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
    const group = groups.get(key);
    if (group) group.names.push(name);
    else groups.set(key, { names: [name], rules: said });
  }
  return [...rest, ...[...groups.values()].flatMap(({ names, rules: said }) => said.map((rule) => ({ ...rule, names })))];
}

/** The rules of a call, none of which overlap. */
function inOrder(name: string, { first, others }: RulesOfCall): SeccompRule[] {
  const end = first.findIndex(({ args }) => !args?.length);
  const conditional = end < 0 ? first : first.slice(0, end);
  // No rule behind one without conditions counts.
  const behind = end < 0 ? others : first.slice(end, end + 1);
  const arg = conditional[0]?.args?.[0];
  const conditions = conditional.map(({ args = [] }) => {
    const [only, more, ...others] = args ?? [];
    if (!arg || !only || others.length > 0 || only.index !== arg.index || !isMasked(only) || Number(only.value) !== ALL_BITS || (more && !isMasked(more)))
      throw cannotBeSaid(name, 'its conditions are not all on the lower half of one argument, with bits of another one at most');
    return { value: Number(only.valueTwo ?? 0), more };
  });
  const values = conditions.map(({ value }) => value);
  // Of several with the same value, the first one counts.
  const isFirst = (_: unknown, i: number): boolean => values.indexOf(values[i] ?? 0) === i;
  if (conditions.some(({ value, more }) => more && values.filter((other) => other === value).length > 1))
    throw cannotBeSaid(name, 'there are several for one value');
  const said = conditional.filter(isFirst).map((rule) => ({ ...plain(rule), ...(rule.args && { args: rule.args }) }));
  const [only, ...more] = behind;
  if (!only) return said;
  if (more.length > 0 || only.args?.length) throw cannotBeSaid(name, 'there are rules with conditions behind it');
  if (!arg) return [plain(only)];
  const otherwise = conditions.flatMap(({ value, more: bits }) =>
    bits ? allButBits(Number(bits.value), Number(bits.valueTwo ?? 0)).map((other) => [masked(arg.index, ALL_BITS, value), masked(bits.index, ...other)]) : [],
  );
  return [...said, ...[...allBut(values).map((other) => [masked(arg.index, ...other)]), ...otherwise].map((args) => ({ ...plain(only), args }))];
}

function isMasked({ op, value }: SeccompArg): boolean {
  return op === 'SCMP_CMP_MASKED_EQ' && Number(value) <= ALL_BITS;
}

function cannotBeSaid(name: string, why: string): TypeError {
  return new TypeError(`syscalls: the rule for ${quote(name)} that is first cannot be said in the form of the OCI runtime-spec: ${why}`);
}

function plain({ action, errnoRet }: SeccompRule): SeccompRule {
  return { action, ...(typeof errnoRet === 'number' && { errnoRet }) };
}

function masked(index: number, mask: number, value: number): SeccompArg {
  return { index, value: mask, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' };
}

/** All 32-bit numbers but these, as disjoint sets: the bits that are looked at, and what they are. */
function allBut(values: readonly number[], bit = BITS - 1, prefix = 0): [mask: number, value: number][] {
  if (values.length === 0) return [[unsigned(ALL_BITS << (bit + 1)), prefix]];
  if (bit < 0) return [];
  const one = unsigned(1 << bit);
  const isSet = (value: number): boolean => (value & one) !== 0;
  return [
    ...allBut(
      values.filter((value) => !isSet(value)),
      bit - 1,
      prefix,
    ),
    ...allBut(values.filter(isSet), bit - 1, unsigned(prefix | one)),
  ];
}

/** All values of the bits of a mask but this, as disjoint sets: that which differs first, from the highest bit, and those above. */
function allButBits(mask: number, value: number): [mask: number, value: number][] {
  return Array.from({ length: BITS }, (_, bit) => unsigned(1 << bit)).flatMap((one): [number, number][] => {
    const above = unsigned(mask & ~(one - 1));
    return (mask & one) === 0 ? [] : [[above, unsigned((value ^ one) & above)]];
  });
}

function unsigned(value: number): number {
  return value >>> 0;
}
