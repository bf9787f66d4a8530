// Nothing may be left behind by any test.
import { afterEach, beforeAll, beforeEach } from 'vitest';

import { plan } from '@ctr/runtime';
import { launch, registerWithKeeper } from '@ctr/syscall';

import { leftovers, sameAs, type Leftovers } from './leftovers.js';

export { defaultGroups, groups, groupsOf, leftovers, sameAs } from './leftovers.js';

/** In every test of the file: what there is before it and after it has to be the same. */
export function watchForLeaks(): void {
  let before: Leftovers;
  // What the first launch, and the first plan, opens for all that follow is no leak, nor is the keeper, of which a host has one.
  beforeAll(async () => {
    const child = await launch([...registerWithKeeper().steps, { call: 'exit_group', args: [0], purpose: 'nothing else' }], {
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    await child.exited;
    plan(['true'], { cgroup: false });
  });
  beforeEach(() => {
    before = leftovers();
  });
  afterEach(() => sameAs(before));
}
