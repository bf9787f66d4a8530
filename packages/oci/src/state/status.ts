import { readFileSync } from 'node:fs';

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

/** Whether the group is frozen, or about to be. */
function isFrozen(places: StoredState['places']): boolean {
  const place = places.find(({ version, controllers }) => version === 1 && controllers.includes('freezer')) ?? places.find(({ version }) => version === 2);
  if (!place) return false;
  try {
    if (place.version === 1) return readFileSync(`${place.directory}/freezer.state`, 'latin1').trim() !== 'THAWED';
    return readFileSync(`${place.directory}/cgroup.freeze`, 'latin1').trim() === '1';
  } catch {
    return false;
  }
}
