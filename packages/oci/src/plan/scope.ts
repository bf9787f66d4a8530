import { existsSync } from 'node:fs';

import { CgroupError, type CgroupLayout, type Limits, type Place } from '@ctr/cgroups';
import type { Scope } from '@ctr/cgroups/systemd';
import { isInUserNamespace } from '@ctr/runtime/assembly';

import type { Config } from '../config/config.js';
import type { StoredScope } from '../state/stored.js';
import { limitsOfContainer } from './cgroup.js';

/** The cgroup of a container, which systemd is to make. */
export interface PlannedScope extends StoredScope {
  /** Where it will be, as far as that is known: the scopes of a user are where their own systemd is. */
  readonly places: readonly Place[];
  /** Has it made, with a process that waits in it. */
  readonly make: (pid: number) => Promise<Scope>;
}

/**
 * The scope of a container, with the limits of its configuration: `linux.cgroupsPath` is `slice:prefix:name`, or there is none.
 *
 * Rejects before anything is made, with a `TypeError` for names and limits that cannot be, with a {@link CgroupError} where systemd cannot be asked.
 */
export async function planScope(config: Config, id: string, layout: CgroupLayout, cancelSignal: AbortSignal | undefined): Promise<PlannedScope> {
  const { createScope, ownManager, parseScopePath, placesOfScope, requireSystemd, scopeName } = await import('@ctr/cgroups/systemd');
  const path = config.linux?.cgroupsPath;
  const { unit, slice } = path === undefined || path === '' ? { unit: scopeName(id), slice: undefined } : parseScopePath(path);
  if (isInUserNamespace())
    throw new CgroupError(
      'no-systemd',
      'systemd takes nobody for the user that a user namespace says they are: run outside of it, or let the engine have its cgroups made without systemd (podman --cgroup-manager cgroupfs)',
    );
  const manager = ownManager();
  const limits: Limits = limitsOfContainer(config.linux?.resources, { rootless: manager === 'user' });
  requireSystemd(layout, manager);
  const places = manager === 'system' ? placesOfScope({ unit, slice }, layout) : [];
  if (places.some(({ directory }) => existsSync(directory)))
    throw new CgroupError('unit', `the scope ${unit} is there already: give another linux.cgroupsPath`);
  return {
    unit,
    manager,
    places,
    make: (pid) =>
      createScope(unit, {
        pids: [pid],
        limits,
        manager,
        layout,
        description: `ctr-oci container ${id}`,
        ...(slice !== undefined && { slice }),
        ...(cancelSignal && { cancelSignal }),
      }),
  };
}
