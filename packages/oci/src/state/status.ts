import { frozenBy } from '@ctr/cgroups';

import type { ContainerStatus } from '../state.js';
import type { StateDirectory } from './directory.js';
import { isWaiting } from './gate.js';
import { isAlive } from './identity.js';
import type { StoredState } from './stored.js';

/** Finds out, from the process, its cgroup and what it waits for: never from what has been written down. */
export function statusOf(directory: StateDirectory, { process, places }: StoredState): ContainerStatus {
  if (!process) return 'creating';
  if (!isAlive(process)) return 'stopped';
  if (isFrozen(places)) return 'paused';
  if (isWaiting(directory)) return 'created';
  // A process that is killed between the two looks lets go of the gate as it ends.
  return isAlive(process) ? 'running' : 'stopped';
}

/** Whether the group is frozen, or about to be: by itself or by one above. */
function isFrozen(places: StoredState['places']): boolean {
  return places.some(({ version, controllers, directory }) => (version === 2 || controllers.includes('freezer')) && frozenBy(directory) !== undefined);
}
