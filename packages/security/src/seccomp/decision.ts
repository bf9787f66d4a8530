import { hasWideArguments } from './architecture.js';
import type { CallRule, Condition } from './rules.js';
import type { SyscallAbi } from '@ctr/syscall';

/** What the filter returns. */
export interface Return {
  readonly kind: 'return';
  readonly id: number;
  readonly value: number;
}

/** A comparison of 32 bits of an argument: a conditional jump of BPF. */
export interface Test {
  readonly kind: 'test';
  readonly id: number;
  /** Which half of which argument: twice the index of the argument, and one more for its upper half. */
  readonly word: number;
  readonly op: 'jeq' | 'jgt' | 'jge' | 'jset';
  readonly k: number;
  /** What is left of the word before it is compared; all of it if `undefined`. */
  readonly mask: number | undefined;
  readonly yes: Decision;
  readonly no: Decision;
}

/** How a call is decided: a graph without cycles, whose ends are what the filter returns. The same decision is the same object. */
export type Decision = Return | Test;

const ALL = 0xffffffff;
/** How much work is put into making one decision smaller; a profile of another's making could ask for any amount. */
const MOST_STEPS = 2000;
const MOST_DEPTH = 100;

/** Makes the decisions of a filter. */
export class Decisions {
  readonly #returns = new Map<number, Return>();
  readonly #tests = new Map<string, Test>();
  #steps = 0;

  return(value: number): Return {
    let known = this.#returns.get(value);
    if (!known) this.#returns.set(value, (known = { kind: 'return', id: this.#nextId(), value }));
    return known;
  }

  /** The decision on a call by its rules, in their order; the rest is returned where none holds. */
  byRules(rules: readonly CallRule[], otherwise: number, abi: SyscallAbi): Decision {
    const [only] = rules;
    if (only && rules.length === 1 && only.conditions.length === 0) return this.return(only.returns);
    const isWide = hasWideArguments(abi);
    let decision: Decision = this.return(otherwise);
    for (const { returns, conditions } of rules.toReversed()) {
      const no = decision;
      let yes: Decision = this.return(returns);
      for (const condition of conditions.toReversed()) yes = this.#compare(condition, yes, no, isWide);
      decision = yes;
    }
    this.#steps = 0;
    return decision.kind === 'return' ? decision : this.#simplify(decision, [], 0);
  }

  #test(word: number, op: Test['op'], k: number, yes: Decision, no: Decision, mask?: number): Decision {
    if (yes === no) return yes;
    // The same test again cannot end otherwise.
    if (isThe(no, word, op, k, mask)) return this.#test(word, op, k, yes, no.no, mask);
    const key = `${word}${op}${k}/${mask ?? ''}?${yes.id}:${no.id}`;
    let known = this.#tests.get(key);
    if (!known) this.#tests.set(key, (known = { kind: 'test', id: this.#nextId(), word, op, k, mask, yes, no }));
    return known;
  }

  #nextId(): number {
    return this.#returns.size + this.#tests.size;
  }

  /** A comparison of 64 bits by halves, or of the lower half where there are only 32. */
  #compare({ index, op, mask, value }: Condition, yes: Decision, no: Decision, isWide: boolean): Decision {
    const [low, high] = [index * 2, index * 2 + 1];
    const [lowK, highK] = [Number(value & 0xffffffffn), Number(value >> 32n)];
    switch (op) {
      case 'SCMP_CMP_EQ':
      case 'SCMP_CMP_MASKED_EQ': {
        // Many rules have the same upper half, mostly none: where it is so, the next one does not have to ask again.
        const next = isThe(no, high, 'jeq', highK) && mask >> 32n === 0xffffffffn ? no.yes : no;
        const rest = this.#masked(low, Number(mask & 0xffffffffn), lowK, yes, isWide ? next : no);
        return isWide ? this.#masked(high, Number(mask >> 32n), highK, rest, no) : rest;
      }
      case 'SCMP_CMP_NE':
        return this.#compare({ index, op: 'SCMP_CMP_EQ', mask, value }, no, yes, isWide);
      case 'SCMP_CMP_LE':
        return this.#compare({ index, op: 'SCMP_CMP_GT', mask, value }, no, yes, isWide);
      case 'SCMP_CMP_LT':
        return this.#compare({ index, op: 'SCMP_CMP_GE', mask, value }, no, yes, isWide);
      case 'SCMP_CMP_GT':
      case 'SCMP_CMP_GE': {
        const rest = this.#test(low, op === 'SCMP_CMP_GT' ? 'jgt' : 'jge', lowK, yes, no);
        if (!isWide) return rest;
        const same = this.#test(high, 'jeq', highK, rest, no);
        return this.#test(high, 'jgt', highK, yes, same);
      }
    }
  }

  #masked(word: number, mask: number, k: number, yes: Decision, no: Decision): Decision {
    if (mask === 0) return yes;
    if (mask === ALL) return this.#test(word, 'jeq', k, yes, no);
    if (k === 0) return this.#test(word, 'jset', mask, no, yes);
    const isOneBit = (mask & (mask - 1)) === 0;
    return isOneBit ? this.#test(word, 'jset', mask, yes, no) : this.#test(word, 'jeq', k, yes, no, mask);
  }

  /** Leaves out what is settled by what was asked before: `bounds` has the least and the greatest value that each word can still have. */
  #simplify(decision: Decision, bounds: Bounds, depth: number): Decision {
    if (decision.kind === 'return' || depth > MOST_DEPTH || ++this.#steps > MOST_STEPS) return decision;
    const { word, op, k, mask, yes, no } = decision;
    const [least, most] = bounds[word] ?? [0, ALL];
    const settled = outcome(decision, least, most);
    if (settled !== undefined) return this.#simplify(settled ? yes : no, bounds, depth + 1);
    const within = (from: number, to: number): Bounds => {
      const narrower = [...bounds];
      narrower[word] = [from, to];
      return narrower;
    };
    let [ifYes, ifNo] = [bounds, bounds];
    if (mask === undefined && op === 'jeq') {
      ifYes = within(k, k);
      if (k === least) ifNo = within(least + 1, most);
      else if (k === most) ifNo = within(least, most - 1);
    } else if (op === 'jgt') [ifYes, ifNo] = [within(k + 1, most), within(least, k)];
    else if (op === 'jge') [ifYes, ifNo] = [within(k, most), within(least, k - 1)];
    return this.#test(word, op, k, this.#simplify(yes, ifYes, depth + 1), this.#simplify(no, ifNo, depth + 1), mask);
  }
}

/** Whether a decision can lead to a value of a kind. */
export function leads(decision: Decision, to: (value: number) => boolean): boolean {
  const open = [decision];
  const seen = new Set(open);
  for (let one = open.pop(); one; one = open.pop()) {
    if (one.kind === 'return') {
      if (to(one.value)) return true;
      continue;
    }
    for (const next of [one.yes, one.no]) {
      if (!seen.has(next)) open.push(next);
      seen.add(next);
    }
  }
  return false;
}

function isThe(decision: Decision, word: number, op: Test['op'], k: number, mask?: number): decision is Test {
  return decision.kind === 'test' && decision.word === word && decision.op === op && decision.k === k && decision.mask === mask;
}

type Bounds = readonly (readonly [least: number, most: number] | undefined)[];

/** How a test ends for every value within bounds, if it ends in the same way for all. */
function outcome({ op, k, mask }: Test, least: number, most: number): boolean | undefined {
  if (least === most) {
    const value = (mask === undefined ? least : least & mask) >>> 0;
    return op === 'jeq' ? value === k : op === 'jgt' ? value > k : op === 'jge' ? value >= k : (value & k) !== 0;
  }
  if (op === 'jgt') return least > k ? true : most <= k ? false : undefined;
  if (op === 'jge') return least >= k ? true : most < k ? false : undefined;
  if (op === 'jeq' && mask === undefined) return k < least || k > most ? false : undefined;
  return undefined;
}
