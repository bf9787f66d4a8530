import { readFileSync } from 'node:fs';

import { isSyscallError } from '@ctr/syscall';

import { CgroupError } from './error.js';
import { addHints, threadHints, type Hints } from './hints.js';
import { parseLayout } from './layout.js';
import { members } from './members.js';
import type { Place } from './place.js';
import { descendantsOf } from './process-tree.js';
import { writeControl } from './write-control.js';

/** What is moved. */
export interface AddOptions {
  /**
   * Move the children that it has already as well, and theirs. One whose parent has ended meanwhile belongs to nobody's tree any more, and stays where it is.
   * @default false: they stay where they are
   */
  readonly tree?: boolean;
}

/** How often a tree of processes is gone through for ones that were made meanwhile by one that was not in the group yet. */
const MAX_PASSES = 50;

/** Moves a process, with all its threads, into a group: in all its hierarchies or, if one refuses it, back to where it was. */
export async function addProcess(places: readonly Place[], pid: number): Promise<void> {
  checkId(pid, 'process');
  await move(places, pid, () => 'cgroup.procs', 'process', addHints);
}

/** Moves a process and all that descends from it. What they make meanwhile is born in the group once they are there: each pass finds fewer. */
export async function addTree(places: readonly Place[], pid: number): Promise<void> {
  await addProcess(places, pid);
  const seen = new Set([pid]);
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const there = new Set(places.flatMap(({ directory }) => members(directory)));
    const fresh = descendantsOf(pid).filter((each) => !there.has(each) && !seen.has(each));
    if (fresh.length === 0) return;
    for (const each of fresh) {
      seen.add(each);
      await addProcess(places, each).catch(unlessEnded);
    }
  }
  throw new CgroupError('busy', `new processes keep appearing below process ${pid}, outside of the group: stop it (SIGSTOP), and try again`);
}

/** Moves a single thread: on v2 into a group of its process's threaded subtree, on v1 anywhere. */
export async function addThread(places: readonly Place[], tid: number): Promise<void> {
  checkId(tid, 'thread');
  await move(places, tid, (version) => (version === 1 ? 'tasks' : 'cgroup.threads'), 'thread', threadHints);
}

/** Moves all that is in one group, and below, to another. */
export async function moveAll(directories: readonly string[], to: { add(pid: number): Promise<void>; pids(): number[] }): Promise<void> {
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    // The other group may be below this one.
    const there = new Set(to.pids());
    const rest = new Set(directories.flatMap(members).filter((pid) => !there.has(pid)));
    if (rest.size === 0) return;
    for (const pid of rest) await to.add(pid).catch(unlessEnded);
  }
  throw new CgroupError('busy', `new processes keep appearing in ${directories.join(', ')}: freeze the group, and move them then`);
}

/** Moves processes or threads one by one. Those that have ended are left out. @returns the others */
export async function moveIds(ids: readonly string[], file: string, purpose: string, hints: Hints): Promise<string[]> {
  const moved: string[] = [];
  for (const id of ids) {
    try {
      await writeControl(file, id, purpose, hints);
      moved.push(id);
    } catch (error) {
      unlessEnded(error);
    }
  }
  return moved;
}

/** Throws an error again, unless it says that the process has ended. */
function unlessEnded(error: unknown): void {
  if (!isSyscallError(error) || error.code !== 'ESRCH') throw error;
}

function checkId(id: number, what: string): void {
  if (!Number.isSafeInteger(id) || id < 1) throw new RangeError(`${id} is not the id of a ${what}`);
}

async function move(places: readonly Place[], id: number, file: (version: 1 | 2) => string, what: string, hints: Hints): Promise<void> {
  const before = places.length > 1 ? groupsText(id) : '';
  // Each hierarchy knows nothing of the others, and each write waits for the kernel: they wait together.
  const results = await Promise.allSettled(
    places.map(({ version, directory }) => writeControl(`${directory}/${file(version)}`, String(id), `move a ${what} into the group`, hints)),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (!failed) return;
  const { hierarchies } = parseLayout(readFileSync('/proc/self/mountinfo', 'utf8'), before);
  for (const [i, { version, base }] of places.entries()) {
    const from = hierarchies.find(({ mount }) => base === mount || base.startsWith(`${mount}/`))?.ownDirectory;
    if (results[i]?.status === 'fulfilled' && from !== undefined) await writeControl(`${from}/${file(version)}`, String(id), `move a ${what} back`, hints);
  }
  throw failed.reason;
}

/** The groups that a process or thread is in. */
function groupsText(id: number): string {
  try {
    return readFileSync(`/proc/${id}/cgroup`, 'utf8');
  } catch {
    // No such process: the first write says so.
    return '';
  }
}
