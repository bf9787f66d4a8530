import { groupAt } from '@ctr/cgroups';

import { OciError } from '../error.js';
import { StateDirectory } from '../state/directory.js';
import { defaultRoot } from '../state/root.js';
import { ownPlaces, readState } from '../state/stored.js';
import { openContainer } from './open-container.js';
import type { RootOptions } from './root-options.js';
import { stateOf, type ExtendedState } from './state-of.js';

/** What there is of containers. */
export interface ContainerList {
  readonly containers: readonly ExtendedState[];
  /** Those whose state cannot be read, and why. */
  readonly broken: readonly { readonly id: string; readonly error: OciError }[];
}

/**
 * All containers, in the order of their ids.
 *
 * @example
 * ```ts
 * import { list } from '@ctr/oci';
 * for (const { id, status } of list({ root: '/tmp/ctr-oci-example' }).containers) console.log(id, status);
 * ```
 */
export function list(options: RootOptions = {}): ContainerList {
  const containers: ExtendedState[] = [];
  const broken: ContainerList['broken'][number][] = [];
  const root = options.root ?? defaultRoot();
  for (const id of StateDirectory.ids(root)) {
    using directory = openIfOwn(root, id);
    if (!directory) continue;
    try {
      containers.push(stateOf(directory, readState(directory)));
    } catch (error) {
      // One may be gone meanwhile.
      if (!(error instanceof OciError)) throw error;
      if (error.kind !== 'does-not-exist') broken.push({ id, error });
    }
  }
  return { containers, broken };
}

/** Others may have something there, too. */
function openIfOwn(root: string, id: string): StateDirectory | undefined {
  try {
    return StateDirectory.open(root, id);
  } catch {
    return undefined;
  }
}

/**
 * The pids of a container's processes, as the host sees them. Throws an {@link OciError}: `does-not-exist`.
 *
 * @example
 * ```ts no-run
 * import { ps } from '@ctr/oci';
 * console.log(ps('web'));
 * ```
 */
export function ps(id: string, options: RootOptions = {}): number[] {
  const { stored, status } = openContainer(id, options);
  const places = ownPlaces(stored);
  if (stored.places.length === 0) return status === 'stopped' || !stored.process ? [] : [stored.process.pid];
  return groupAt(places)
    .pids()
    .toSorted((a, b) => a - b);
}
