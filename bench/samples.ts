import type { Contender } from './contender.js';

/** A contender, and how many samples it gives each time it has its turn. */
export interface Turn<Name extends string> {
  readonly name: Name;
  readonly contender: Contender;
  readonly each: number;
}

const WARM_UP_MS = 2000;

/**
 * Lets the contenders take turns, so that what slows the machine down for a while slows all of them down. A contender warms up for two seconds before: V8 takes a thousand runs until it has compiled all that runs often.
 *
 * @returns the samples of each
 */
export async function takeTurns<const Name extends string>(
  turns: readonly Turn<Name>[],
  rounds: number,
  progress: (round: number) => void,
): Promise<Record<Name, number[]>> {
  const samples = Object.fromEntries(turns.map(({ name }) => [name, [] as number[]])) as Record<Name, number[]>;
  for (const { contender, each } of turns) for (const end = performance.now() + WARM_UP_MS; performance.now() < end;) await contender.sample(each);
  for (let round = 0; round < rounds; round++) {
    progress(round);
    for (const { name, contender, each } of turns) samples[name].push(...(await contender.sample(each)));
  }
  return samples;
}

/** The middle one of the samples in order. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}
