import { syscallNumbers, type SyscallAbi } from '@ctr/syscall';

import { ARM_PRIVATE, X32_SYSCALL_BIT } from './architecture.js';
import type { Decision, Decisions } from './decision.js';
import type { SeccompRule } from './profile.js';
import { rulesByNumber } from './rules.js';
import { Ranges } from './search-tree.js';

/** What a profile says of the calls of a kind of programs. */
export interface Calls {
  /** The decision on each call that there are rules for, by its number, in ascending order. */
  readonly decided: ReadonlyMap<number, Decision>;
  /** The greatest number of a call that the profile names, to whatever end. */
  readonly last: number | undefined;
}

/** What is done with calls that there are no rules for: those in general, those that are newer than the profile, and those of programs that it does not name. */
export interface Rest {
  readonly known: Decision;
  readonly newer: Decision;
  readonly foreign: Decision;
}

export function decideCalls(rules: readonly SeccompRule[], abi: SyscallAbi, otherwise: number, decisions: Decisions): Calls {
  const some = rulesByNumber(rules, abi, otherwise);
  const decided = new Map<number, Decision>();
  for (const number of Uint32Array.from(some.keys()).toSorted()) decided.set(number, decisions.byRules(some.get(number) ?? [], otherwise, abi));
  return { decided, last: lastNamed(rules, abi) };
}

/** The decision for every number that programs of one AUDIT_ARCH_… can use: x64 and x32 have it in common. */
export function rangesOf(abi: Exclude<SyscallAbi, 'x32'>, calls: ReadonlyMap<SyscallAbi, Calls>, rest: Rest): Ranges {
  const ranges = new Ranges();
  const fill = (of: SyscallAbi, begin: number, end: number): void => {
    const { decided, last } = calls.get(of) ?? nothing;
    ranges.push(begin, rest.known);
    decided.forEach((decision, number) => {
      if (number < begin || number >= end) return;
      ranges.push(number, decision);
      ranges.push(number + 1, rest.known);
    });
    if (last !== undefined && last >= begin) ranges.push(last + 1, rest.newer);
  };
  if (abi === 'arm') {
    fill('arm', 0, ARM_PRIVATE);
    fill('arm', ARM_PRIVATE, Infinity);
  } else if (abi === 'x64') {
    if (calls.has('x64')) fill('x64', 0, X32_SYSCALL_BIT);
    else ranges.push(0, rest.foreign);
    if (calls.has('x32')) fill('x32', X32_SYSCALL_BIT, Infinity);
    else {
      ranges.push(X32_SYSCALL_BIT, rest.foreign);
      // -1 is what a tracer makes of a call that is to be left out.
      ranges.push(0xffffffff, rest.newer);
    }
  } else fill(abi, 0, Infinity);
  return ranges;
}

const nothing: Calls = { decided: new Map(), last: undefined };

/** The private numbers of arm are passed over: they are far away from the others, and no kernel gives new calls such a number. */
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
