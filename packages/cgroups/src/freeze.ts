import { readFile } from 'node:fs/promises';

import { keyed } from './counter.js';
import { CgroupError } from './error.js';
import { frozenError } from './frozen.js';
import { freezeHints } from './hints.js';
import type { Place } from './place.js';
import { writeControl } from './write-control.js';
import { waitUntil, type WaitOptions } from './wait.js';

/**
 * Stops all processes of a group where they are, and waits until they have stopped; if they do not, they are let go on, and the promise rejects.
 *
 * @see Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst and cgroup-v2.rst of the kernel: cgroup.freeze
 */
export async function freeze(places: readonly Place[], options: WaitOptions = {}): Promise<void> {
  const [place] = freezersOf(places);
  try {
    await switchTo(place, true, options);
  } catch (error) {
    await writeState(place, false);
    throw error;
  }
}

/** Lets the processes of a frozen group go on: where it has directories of both versions, it may have been frozen by either. */
export async function thaw(places: readonly Place[], options: WaitOptions = {}): Promise<void> {
  for (const place of freezersOf(places)) await switchTo(place, false, options);
}

function freezersOf(places: readonly Place[]): readonly [Place, ...Place[]] {
  const [place, ...others] = places.filter(({ version, controllers }) => version === 2 || controllers.includes('freezer'));
  if (!place) throw new CgroupError('no-controller', 'this group cannot be frozen: on cgroup v1 it has to be made with the freezer controller');
  return [place, ...others];
}

async function switchTo(place: Place, frozen: boolean, options: WaitOptions): Promise<void> {
  await waitUntil(options, {
    // v1 can stay on the way there for ever, until it is told again.
    done: async () => {
      await writeState(place, frozen);
      return (await isFrozen(place)) === frozen;
    },
    hopeless: () => (frozen ? undefined : frozenError([place.directory], 'thaw that one first')),
    late: (timeoutMs) => `${place.directory} did not ${frozen ? 'freeze' : 'thaw'} within ${timeoutMs} ms: a process in it waits in the kernel`,
  });
}

async function writeState({ version, directory }: Place, frozen: boolean): Promise<void> {
  if (version === 2) await writeControl(`${directory}/cgroup.freeze`, frozen ? '1' : '0', frozen ? 'freeze the group' : 'thaw the group', freezeHints);
  else await writeControl(`${directory}/freezer.state`, frozen ? 'FROZEN' : 'THAWED', frozen ? 'freeze the group' : 'thaw the group', freezeHints);
}

async function isFrozen({ version, directory }: Place): Promise<boolean> {
  if (version === 2) return keyed(await readFile(`${directory}/cgroup.events`, 'latin1'), 'frozen') === 1;
  const state = (await readFile(`${directory}/freezer.state`, 'latin1')).trim();
  return state === 'FROZEN';
}
