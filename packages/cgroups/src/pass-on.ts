import { call } from '@ctr/syscall';

import { moveIds } from './add.js';
import { checkSegment, openGroup } from './cgroups-path.js';
import { CgroupError } from './error.js';
import { addHints, directoryHints, enableHints } from './hints.js';
import { readWords } from './read-words.js';
import { removeEmpty } from './remove.js';
import { writeControl } from './write-control.js';

/** How often the processes of a group are gone through for ones that have appeared meanwhile. */
const MAX_PASSES = 50;

/**
 * Has groups of v2 pass controllers on to those below, from the top down. A group with processes in it does not do that: they are moved to a leaf of it first, if one is named.
 *
 * @see Documentation/admin-guide/cgroup-v2.rst of the kernel, "No Internal Process Constraint"
 */
export async function passOn(directories: readonly string[], controllers: readonly string[], leaf?: string): Promise<void> {
  if (leaf !== undefined) checkSegment(leaf);
  for (const directory of directories) {
    const passed = readWords(`${directory}/cgroup.subtree_control`);
    const missing = controllers.filter((controller) => !passed?.includes(controller));
    if (missing.length === 0) continue;
    const has = readWords(`${directory}/cgroup.controllers`);
    const absent = missing.filter((controller) => !has?.includes(controller));
    if (absent.length > 0) throw notPassedOn(directory, absent);
    if (isBusy(directory)) {
      if (leaf === undefined) throw tooBusy(directory, missing);
      await moveToLeaf(directory, leaf);
    }
    await writeControl(`${directory}/cgroup.subtree_control`, missing.map((name) => `+${name}`).join(' '), 'pass the controllers on', enableHints);
  }
}

/** Moves all processes of a group to one below it, or, if one cannot be moved, none. */
async function moveToLeaf(directory: string, leaf: string): Promise<void> {
  const below = `${directory}/${leaf}`;
  const isNew = makeLeaf(directory, leaf);
  const moved = new Set<string>();
  try {
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const pids = readWords(`${directory}/cgroup.procs`) ?? [];
      if (pids.length === 0) return;
      // 0 is what a process of another pid namespace looks like: as itself, it would be this one.
      if (pids.includes('0'))
        throw new CgroupError(
          'busy',
          `${directory} has processes in it that this pid namespace does not show, so they cannot be moved to ${below}: run outside of the container`,
        );
      for (const pid of await moveIds(pids, `${below}/cgroup.procs`, 'move a process to the leaf', addHints)) moved.add(pid);
    }
    throw new CgroupError(
      'busy',
      `new processes keep appearing in ${directory}, however many are moved to ${below}: freeze the group, or stop what makes them`,
    );
  } catch (error) {
    await moveIds([...moved], `${directory}/cgroup.procs`, 'move a process back', addHints);
    if (isNew) removeEmpty([below]);
    throw error;
  }
}

/** @returns whether it was not there before */
function makeLeaf(directory: string, leaf: string): boolean {
  using at = openGroup(directory);
  return (
    call({ call: 'mkdirat', args: [at, leaf, 0o755], purpose: 'a leaf for the processes of the group', tolerates: ['EEXIST'], hints: directoryHints }) === 0
  );
}

/** Whether a group cannot pass controllers on for the processes in it. The root of the whole tree has no type, and no such rule. */
export function isBusy(directory: string): boolean {
  const type = readWords(`${directory}/cgroup.type`);
  return type !== undefined && type[0] !== 'threaded' && (readWords(`${directory}/cgroup.procs`)?.length ?? 0) > 0;
}

export function notPassedOn(directory: string, absent: readonly string[]): CgroupError {
  return new CgroupError(
    'no-controller',
    `${directory} has no ${absent.join(' and no ')} controller (there are: ${readWords(`${directory}/cgroup.controllers`)?.join(', ') || 'none'}): the group above it has to pass it on, ` +
      `by ${absent.map((name) => `+${name}`).join(' ')} in its cgroup.subtree_control (systemd: Delegate=${absent.join(' ')} for the unit)`,
  );
}

export function tooBusy(directory: string, controllers: readonly string[]): CgroupError {
  return new CgroupError(
    'busy',
    `${directory} has processes in it, which keeps it from passing ${controllers.join(' and ')} on to groups below (the "no internal processes" rule of cgroup v2): ` +
      `move them to a group of their own first: moveToLeaf of createGroup does, or mkdir ${directory}/init && for pid in $(cat ${directory}/cgroup.procs); do echo $pid > ${directory}/init/cgroup.procs; done`,
  );
}
