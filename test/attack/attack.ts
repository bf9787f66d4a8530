// An attack as data, and what became of it in one cell: by one way in, of one kind of caller.
import type { Caller } from './callers.js';
import type { Way } from './job.js';
import type { Stage } from './stage.js';

/** `held`: it had no effect. `refused`: the container did not start. `told`: it has an effect that the documentation names. `–`: there is nothing to attack. */
export type Mark = 'held' | 'refused' | 'told' | '–' | 'GOT THROUGH';

export interface Verdict {
  readonly mark: Mark;
  /** The answer of the kernel, the reason, or the page that tells. */
  readonly detail: string;
}

export interface Attack {
  readonly name: string;
  readonly group: string;
  /** In one line. */
  readonly tries: string;
  /** Where a program that gets through is told of, by a way or by all. */
  readonly told?: (way: Way) => string | undefined;
  /** Why there is nothing to attack. */
  readonly without?: (way: Way, caller: Caller) => string | undefined;
  /** The container may be refused for it. Otherwise it has to start: what never ran has held nothing. */
  readonly mayRefuse?: boolean;
  /** Makes the attempt. */
  attempt(stage: Stage, caller: Caller, way: Way): Promise<Verdict>;
  /** The same attempt where it may succeed: whether it did, or why there is no such place. */
  control(stage: Stage, caller: Caller): Promise<boolean> | string;
}

export const held = (detail: string): Verdict => ({ mark: 'held', detail });
export const refused = (detail: string): Verdict => ({ mark: 'refused', detail });
export const gotThrough = (detail: string): Verdict => ({ mark: 'GOT THROUGH', detail });

/** What a cell of the table says. */
export async function verdictOf(attack: Attack, stage: Stage, caller: Caller, way: Way): Promise<Verdict> {
  const reason = caller.without(way) ?? attack.without?.(way, caller);
  if (reason !== undefined) return { mark: '–', detail: reason };
  const verdict = await attack.attempt(stage, caller, way);
  if (verdict.mark === 'refused' && !(attack.mayRefuse && verdict.detail !== ''))
    throw new Error(`${attack.name}: the container did not start: ${verdict.detail}`);
  const page = attack.told?.(way);
  return verdict.mark === 'GOT THROUGH' && page !== undefined ? { mark: 'told', detail: page } : verdict;
}
