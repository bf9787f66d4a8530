import type { Step } from '@ctr/syscall';

/** A part of the plan, by the name of what it sets up. */
export type Section = readonly [what: string, steps: readonly Step[]];

export function flatten(sections: readonly Section[]): Step[] {
  return sections.flatMap(([, steps]) => steps);
}
