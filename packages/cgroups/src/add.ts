import { readFile } from 'node:fs/promises';

import { addHints } from './hints.js';
import { parseLayout } from './layout.js';
import type { Place } from './place.js';
import { writeControl } from './set.js';

/** Moves a process, with all its threads, into a group: in all its hierarchies or, if one refuses it, back to where it was. */
export async function addProcess(places: readonly Place[], pid: number): Promise<void> {
  if (!Number.isSafeInteger(pid) || pid < 1) throw new RangeError(`${pid} is not the id of a process`);
  const moved: string[] = [];
  const before = places.length > 1 ? await groupsOf(pid) : [];
  try {
    for (const { directory, base } of places) {
      await writeControl(`${directory}/cgroup.procs`, String(pid), 'move a process into the group', addHints);
      const from = before.find(({ mount }) => base === mount || base.startsWith(`${mount}/`))?.ownDirectory;
      if (from !== undefined) moved.push(from);
    }
  } catch (error) {
    for (const directory of moved) await writeControl(`${directory}/cgroup.procs`, String(pid), 'move a process back', addHints);
    throw error;
  }
}

/** The groups that a process is in, as seen from here. */
async function groupsOf(pid: number): Promise<ReturnType<typeof parseLayout>['hierarchies']> {
  try {
    return parseLayout(await readFile('/proc/self/mountinfo', 'utf8'), await readFile(`/proc/${pid}/cgroup`, 'utf8')).hierarchies;
  } catch {
    // No such process: the first write says so.
    return [];
  }
}
