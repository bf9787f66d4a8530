import { existsSync } from 'node:fs';

import { CgroupError, type CgroupLayout, type Limits, type Place } from '@ctr/cgroups';
import type * as systemd from '@ctr/cgroups/systemd';
import type { Scope, UnitProperty } from '@ctr/cgroups/systemd';
import { isInUserNamespace } from '@ctr/runtime/assembly';

import type { Config } from '../config/config.js';
import { ConfigError } from '../parse-config.js';
import { wrongProperty } from '../rules/annotation-rules.js';
import type { StoredScope } from '../state/stored.js';
import { unitPropertiesOf } from '../systemd/unit-properties.js';
import { limitsOfContainer } from './cgroup.js';

/** The cgroup of a container, which systemd is to make. */
export interface PlannedScope extends StoredScope {
  /** `undefined` for the one that systemd takes. */
  readonly slice: string | undefined;
  readonly limits: Limits;
  readonly properties: readonly UnitProperty[];
  /** Where it will be, as far as that is known: the scopes of a user are where their own systemd is. */
  readonly places: readonly Place[];
}

/** What of `@ctr/cgroups/systemd` is needed before a scope is made. */
export type ScopeNames = Pick<typeof systemd, 'ownManager' | 'parseScopePath' | 'placesOfScope' | 'scopeName'>;

/**
 * The scope of a container, with the limits of its configuration, and the properties that its annotations name: `linux.cgroupsPath` is `slice:prefix:name`, or there is none.
 * Throws a {@link ConfigError} for annotations that are no properties, and a `TypeError` for names and limits that cannot be.
 */
export function planScope(
  config: Config,
  id: string,
  layout: CgroupLayout,
  { ownManager, parseScopePath, placesOfScope, scopeName }: ScopeNames,
): PlannedScope {
  const path = config.linux?.cgroupsPath;
  const { unit, slice } = path === undefined || path === '' ? { unit: scopeName(id), slice: undefined } : parseScopePath(path);
  const { properties, wrong } = unitPropertiesOf(config.annotations);
  if (wrong.length > 0) throw new ConfigError(wrong.map(wrongProperty));
  const manager = ownManager();
  const limits = limitsOfContainer(config.linux?.resources, { rootless: manager === 'user' });
  const isPlaced = manager === 'system' && layout.mode === 'v2';
  return { unit, slice, manager, limits, properties, places: isPlaced ? placesOfScope({ unit, slice }, layout) : [] };
}

/** Rejects with a {@link CgroupError} where systemd cannot be asked, or the scope is there already. */
export async function requireScope({ unit, manager, places }: PlannedScope, layout: CgroupLayout): Promise<void> {
  const { requireSystemd } = await import('@ctr/cgroups/systemd');
  if (isInUserNamespace())
    throw new CgroupError(
      'no-systemd',
      'systemd takes nobody for the user that a user namespace says they are: run outside of it, or let the engine have its cgroups made without systemd (podman --cgroup-manager cgroupfs)',
    );
  requireSystemd(layout, manager);
  if (places.some(({ directory }) => existsSync(directory)))
    throw new CgroupError('unit', `the scope ${unit} is there already: give another linux.cgroupsPath`);
}

/** Has it made, with a process that waits in it. */
export async function makeScope(
  { unit, slice, manager, limits, properties }: PlannedScope,
  pid: number,
  { id, layout, cancelSignal }: { readonly id: string; readonly layout: CgroupLayout; readonly cancelSignal: AbortSignal | undefined },
): Promise<Scope> {
  const { createScope } = await import('@ctr/cgroups/systemd');
  return createScope(unit, {
    pids: [pid],
    limits,
    manager,
    layout,
    properties,
    description: `ctr-oci container ${id}`,
    ...(slice !== undefined && { slice }),
    ...(cancelSignal && { cancelSignal }),
  });
}
