// The same bundles under runc and under ctr-oci: what differs is a known difference, and every known difference is there.
import { execFileSync } from 'node:child_process';

import { readLayout } from '@ctr/cgroups';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { command } from './ctr-oci.js';
import { bundles } from './differential/bundles.js';
import { compare, Review } from './differential/differences.js';
import { run } from './differential/run.js';
import { openStage, type OpenStage } from './differential/stage.js';

/** The version that the differences are known of. */
const VERSION = '1.1.5';
const found = versionOfRunc();
const why =
  found === undefined ? 'runc is not installed' : found.startsWith(VERSION) ? undefined : `runc is ${found}, and the differences are those of ${VERSION}`;
const review = new Review();
const all = Object.entries(bundles).flatMap(([kind, list]) => list.map((bundle) => ({ kind, bundle })));
let stage: OpenStage | undefined;
let count = 0;

function versionOfRunc(): string | undefined {
  try {
    return /^runc version (\S+)/.exec(execFileSync('runc', ['--version'], { encoding: 'utf8' }))?.[1];
  } catch {
    return undefined;
  }
}

beforeAll(async () => {
  if (why === undefined) stage = await openStage();
});

afterAll(async () => {
  if (stage) expect(await stage.end()).toEqual([]);
});

it('has bundles of names that are not the same', () => {
  expect(new Set(all.map(({ bundle }) => bundle.name)).size).toBe(all.length);
});

describe.each(Object.keys(bundles))('ctr-oci makes of a bundle what runc makes of it: %s', (kind) => {
  it.for(bundles[kind] ?? [])('$name', async (bundle, ctx) => {
    if (!stage) return ctx.skip(why);
    const number = ++count;
    const [runc, ctr] = await Promise.all([
      run(bundle, number, { name: 'runc', command: ['runc'] }, stage),
      run(bundle, number, { name: 'ctr-oci', command }, stage),
    ]);
    const unknown = compare(bundle.name, runc.facts, ctr.facts).filter((difference) => !review.knows(difference));
    expect(unknown, `runc: ${runc.said}\nctr-oci: ${ctr.said}`).toEqual([]);
  });
});

it('differs from runc in all that is known to differ', (ctx) => {
  if (count < all.length) ctx.skip('only some of the bundles were run');
  expect(review.missing(readLayout().mode !== 'v2')).toEqual([]);
});
