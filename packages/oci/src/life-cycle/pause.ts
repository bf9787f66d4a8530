import { groupAt } from '@ctr/cgroups';

import { OciError } from '../error.js';
import { lockContainer } from './open-container.js';
import type { RootOptions } from './root-options.js';

/**
 * Stops all processes of a container where they are, until {@link resume}. Resolves when they have stopped.
 * Rejects with an {@link OciError}: `does-not-exist`, or `not-running`.
 * @example
 * ```ts no-run
 * import { pause, resume } from '@ctr/oci';
 * await pause('web');
 * await resume('web');
 * ```
 */
export async function pause(id: string, options: RootOptions = {}): Promise<void> {
  using container = await lockContainer(id, options);
  const { stored, status } = container;
  if (status !== 'running' && status !== 'created') throw new OciError('not-running', 'container not running');
  if (stored.places.length === 0) throw new Error('the container has no cgroup, so that it cannot be paused');
  await groupAt(stored.places).freeze();
}

/**
 * Lets the processes of a container that was paused go on.
 * Rejects with an {@link OciError}: `does-not-exist`, or `not-paused`.
 * @example
 * ```ts no-run
 * import { resume, state } from '@ctr/oci';
 * if (state('web').status === 'paused') await resume('web');
 * ```
 */
export async function resume(id: string, options: RootOptions = {}): Promise<void> {
  using container = await lockContainer(id, options);
  const { stored, status } = container;
  if (status !== 'paused') throw new OciError('not-paused', 'container not paused');
  await groupAt(stored.places).thaw();
}
