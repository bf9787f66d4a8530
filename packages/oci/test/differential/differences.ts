import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Facts } from './view.js';

/** A difference between the two that is known, and why it is there. Also what docs/oci.md says of it. */
export interface Known {
  readonly what: string;
  readonly runc: string;
  readonly ctr: string;
  readonly why: string;
  /** Where alone it shows: where there are hierarchies of v1. */
  readonly only?: 'v1';
  /** As which differences it shows: regular expressions for what is compared and for both values. Without `bundles` it may show in any. */
  readonly facts: readonly { readonly fact: string; readonly bundles?: readonly string[]; readonly runc: string; readonly ctr: string }[];
}

/** Something that is not the same under both. */
export interface Difference {
  readonly bundle: string;
  readonly fact: string;
  readonly runc: string;
  readonly ctr: string;
}

const knownDifferences = JSON.parse(readFileSync(join(import.meta.dirname, 'differences.json'), 'utf8')) as readonly Known[];

const NOTHING = 'nothing';

/** All that differs. Where only one of the two runs the program, it is that alone. */
export function compare(bundle: string, runc: Facts, ctr: Facts): Difference[] {
  const names = runc['exit code'] === ctr['exit code'] ? [...new Set([...Object.keys(runc), ...Object.keys(ctr)])] : ['exit code'];
  return names.filter((fact) => runc[fact] !== ctr[fact]).map((fact) => ({ bundle, fact, runc: runc[fact] ?? NOTHING, ctr: ctr[fact] ?? NOTHING }));
}

/** Remembers which of the known differences there are. */
export class Review {
  readonly #patterns = knownDifferences.flatMap(({ what, only, facts }) =>
    facts.map(({ fact, bundles, runc, ctr }) => ({ what, only, bundles, fact: whole(fact), runc: whole(runc), ctr: whole(ctr), seenIn: new Set<string>() })),
  );

  /** Whether a difference is a known one. */
  knows({ bundle, fact, runc, ctr }: Difference): boolean {
    const found = this.#patterns.find(
      (each) => (!each.bundles || each.bundles.includes(bundle)) && each.fact.test(fact) && each.runc.test(runc) && each.ctr.test(ctr),
    );
    found?.seenIn.add(bundle);
    return found !== undefined;
  }

  /** The known differences that have not shown, of which there are none if all bundles were run. */
  missing(hasV1: boolean): string[] {
    return this.#patterns
      .filter(({ only }) => only !== 'v1' || hasV1)
      .flatMap(({ what, fact, bundles, seenIn }) =>
        (bundles ?? ['any']).filter((bundle) => (bundles ? !seenIn.has(bundle) : seenIn.size === 0)).map((bundle) => `${what}: ${fact.source} (${bundle})`),
      );
  }
}

function whole(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`, 's');
}
