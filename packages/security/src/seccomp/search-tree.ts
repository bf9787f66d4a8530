import { X32_SYSCALL_BIT } from './architecture.js';
import type { Decision } from './decision.js';

/** The same decision for a run of numbers, up to where the next one begins. */
export interface Range {
  readonly from: number;
  readonly decision: Decision;
}

/** Finds the range that a number is in: by comparisons of the number, each with one of two ways to go on. */
export type SearchTree =
  | { readonly kind: 'leaf'; readonly decision: Decision }
  | { readonly kind: 'node'; readonly op: 'jge' | 'jeq'; readonly k: number; readonly yes: SearchTree; readonly no: SearchTree };

/**
 * How often a range is looked for, as a guess. The kernel remembers of each call whether the filter allows it in any case, and then does not run it (5.11):
 * what it runs the filter for is what depends on arguments, and what is refused.
 */
const WEIGHT_OF_TEST = 24;
const WEIGHT_OF_RETURN = 1;
/** Hardly a program is of x32. */
const WEIGHT_OF_X32 = 0.1;

/** Numbers with decisions, in ascending order, as ranges from 0 on; neighbours with the same decision are one. */
export class Ranges {
  readonly #ranges: Range[] = [];

  /** From here on, this decision counts. */
  push(from: number, decision: Decision): void {
    const last = this.#ranges.at(-1);
    if (last?.from === from) this.#ranges.pop();
    if (this.#ranges.at(-1)?.decision !== decision) this.#ranges.push({ from, decision });
  }

  /** A tree in which what is looked for more often is nearer to the root. */
  tree(): SearchTree {
    const weights = [0];
    for (const { from, decision } of this.#ranges)
      weights.push((weights.at(-1) as number) + (from >= X32_SYSCALL_BIT ? WEIGHT_OF_X32 : decision.kind === 'test' ? WEIGHT_OF_TEST : WEIGHT_OF_RETURN));
    return split(this.#ranges, weights, 0, this.#ranges.length);
  }
}

/** `weights` has the sum of those before each range. */
function split(ranges: readonly Range[], weights: readonly number[], begin: number, end: number): SearchTree {
  const first = ranges[begin] as Range;
  if (end - begin === 1) return { kind: 'leaf', decision: first.decision };
  const second = ranges[begin + 1] as Range;
  if (end - begin === 3) {
    const third = ranges[begin + 2] as Range;
    if (first.decision === third.decision && third.from === second.from + 1) {
      const [yes, no] = [second, first].map(({ decision }): SearchTree => ({ kind: 'leaf', decision }));
      if (yes && no) return { kind: 'node', op: 'jeq', k: second.from, yes, no };
    }
  }
  const middle = ((weights[begin] as number) + (weights[end] as number)) / 2;
  let at = begin + 1;
  while (at < end - 1 && Math.abs((weights[at + 1] as number) - middle) <= Math.abs((weights[at] as number) - middle)) at++;
  return { kind: 'node', op: 'jge', k: (ranges[at] as Range).from, yes: split(ranges, weights, at, end), no: split(ranges, weights, begin, at) };
}
