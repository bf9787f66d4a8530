import { groupAt, type LinuxResources } from '@ctr/cgroups';

import { OciError } from '../error.js';
import { limitsOf } from '../plan/cgroup.js';
import { lockContainer } from './open-container.js';
import { openScope } from './open-scope.js';
import type { RootOptions } from './root-options.js';

/**
 * Changes limits of a container: all that are given or, if the kernel refuses one, none.
 * Rejects with an {@link OciError}: `does-not-exist`, or `not-running`; a `RangeError` or `TypeError` for limits that cannot be, a `SyscallError`.
 * @example
 * ```ts no-run
 * import { update } from '@ctr/oci';
 * await update('web', { memory: { limit: 64 * 2 ** 20 }, pids: { limit: 100 } });
 * ```
 */
export async function update(id: string, resources: LinuxResources, options: RootOptions = {}): Promise<void> {
  using container = await lockContainer(id, options);
  const { stored, status } = container;
  if (status === 'stopped') throw new OciError('not-running', 'container not running');
  const group = stored.scope ? await openScope(stored.scope, stored.places) : groupAt(stored.places);
  await group.set(limitsOf(resources));
}
