import type { Place } from '@ctr/cgroups';
import type { Scope } from '@ctr/cgroups/systemd';

import type { StoredScope } from '../state/stored.js';

/** A scope that was kept: to change its limits, and to end it. */
export async function openScope({ unit, manager }: StoredScope, places: readonly Place[]): Promise<Scope> {
  const { scopeAt } = await import('@ctr/cgroups/systemd');
  return scopeAt(unit, places, { manager });
}
