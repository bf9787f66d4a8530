import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { call, Fd, signals } from '@ctr/syscall';

import { CgroupError } from './error.js';
import { frozenError } from './frozen.js';
import { readLayout } from './layout.js';
import { members } from './members.js';
import { walkGroups } from './subgroups.js';

/** How often the members of a v1 group are gone through for ones that have appeared meanwhile. */
const MAX_PASSES = 20;
/** How many processes are held by a pidfd at a time: far from any limit on open files. */
const BATCH = 256;

/**
 * Sends SIGKILL to every process in a group and the groups below it. They are about to end when it returns, but may not have ended.
 * v2 does it in the kernel, at one stroke. On v1 each process is killed by its pidfd, while the group, as far as it has the files, is frozen (`freezer.state`) and can make
 * no new ones (`pids.max`). What somebody has frozen in them is thawed on v1, where it could not end otherwise.
 *
 * Throws a {@link CgroupError} of kind `busy` where this process itself is among them. A group that is not there has nobody in it.
 *
 * @example
 * ```ts
 * import { groupName, killMembers, planGroup } from '@ctr/cgroups';
 * killMembers(planGroup(groupName(), { pids: 20 }).directories); // nobody is there yet
 * ```
 */
export function killMembers(directories: readonly string[]): void {
  refuseOwn(directories);
  const v1 = directories.filter((directory) => !writeIfThere(`${directory}/cgroup.kill`, '1'));
  if (v1.length === 0) return;
  for (const directory of v1) writeIfThere(`${directory}/freezer.state`, 'FROZEN');
  const pidsMax = v1.map((directory) => `${directory}/pids.max`).filter(existsSync);
  const before = pidsMax.map((file) => readFileSync(file, 'latin1').trim());
  for (const file of pidsMax) writeIfThere(file, '0');
  try {
    const killed = new Set<number>();
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const fresh = [...new Set(v1.flatMap(members))].filter((pid) => !killed.has(pid));
      if (fresh.length === 0) break;
      for (let i = 0; i < fresh.length; i += BATCH) killByPidfd(fresh.slice(i, i + BATCH), v1);
      for (const pid of fresh) killed.add(pid);
    }
  } finally {
    for (const [i, file] of pidsMax.entries()) writeIfThere(file, before[i] ?? 'max');
    // A frozen process takes no signal on v1 before it thaws; and somebody may have frozen a group below.
    for (const directory of v1) if (existsSync(`${directory}/freezer.state`)) walkGroups(directory, { visit: thaw });
  }
}

/** The group that keeps what was killed from its end. On version 2 a frozen process ends as any other does. */
export function keptFrozen(directories: readonly string[]): CgroupError | undefined {
  const freezers = directories.filter((directory) => existsSync(`${directory}/freezer.state`) && members(directory).length > 0);
  return frozenError(freezers, 'its processes were sent SIGKILL, and end when that one is thawed');
}

function thaw(group: Fd): void {
  writeIfThere(`/proc/self/fd/${group.number}/freezer.state`, 'THAWED');
}

/** A pid may be another process's by the time it is used: whether it is in the group is looked up again once there is a handle that no other can have. */
function killByPidfd(pids: readonly number[], directories: readonly string[]): void {
  const handles = pids.flatMap((pid) => {
    const number = call({ call: 'pidfd_open', args: [pid, 0], purpose: 'a process of the group', tolerates: ['ESRCH', 'EINVAL'] });
    return number < 0 ? [] : [{ pid, pidfd: new Fd(number) }];
  });
  try {
    const still = new Set(directories.flatMap(members));
    for (const { pid, pidfd } of handles) {
      if (still.has(pid))
        call({ call: 'pidfd_send_signal', args: [pidfd, signals.SIGKILL, null, 0], purpose: 'kill a process of the group', tolerates: ['ESRCH'] });
    }
  } finally {
    for (const { pidfd } of handles) pidfd.close();
  }
}

/** A slip in a path must not be the end of this process, or of the whole system: that is in the group at the top. */
function refuseOwn(directories: readonly string[]): void {
  for (const { ownDirectory } of readLayout().hierarchies) {
    const directory = directories.find((candidate) => ownDirectory === candidate || ownDirectory?.startsWith(`${candidate}/`));
    if (directory !== undefined) throw new CgroupError('busy', `this process itself is in ${directory}: it kills no group that it is in`);
  }
}

/** @returns whether there is such a file */
function writeIfThere(file: string, value: string): boolean {
  try {
    writeFileSync(file, value, { flag: 'r+' });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENODEV') return false;
    throw error;
  }
}
