import { rmdirSync } from 'node:fs';

import { AT_FDCWD, atFlags, call, errnos, label, Memory, openFlags, resultOf, timespec, type Fd, type Step } from '@ctr/syscall';

import { keptFrozen, killMembers } from './kill.js';
import type { Place } from './place.js';
import { stillRunning } from './still-running.js';
import { walkGroups } from './subgroups.js';
import { isThreaded, returnThreads } from './threaded.js';
import { waitUntil, type WaitOptions } from './wait.js';

/**
 * Removes a group: at once, before the function returns, if it is empty. Otherwise it kills what runs there, removes the groups below it,
 * and tries again until the kernel lets it go. A group that is not there is removed already. The threads of a threaded group go to the group above, and nobody is killed.
 *
 * Rejects with a {@link CgroupError} of kind `still-running`, which lists the processes and what each waits for, if some do not end in time; of kind `busy` if this process
 * itself is in the group; and with the error of the file system (EACCES, EROFS).
 *
 * @param directories of one group, one in each hierarchy
 * @example
 * ```ts
 * import { groupName, planGroup, removeGroup } from '@ctr/cgroups';
 * const { directories } = planGroup(groupName(), { pids: 20 });
 * await removeGroup(directories);
 * ```
 */
export async function removeGroup(directories: readonly string[], options: WaitOptions = {}): Promise<void> {
  let left = removeEmpty(directories);
  if (left.length === 0) return;
  await waitUntil(options, {
    done: async () => {
      for (const directory of left.filter(isThreaded)) await returnThreads(directory);
      killMembers(left.filter((directory) => !isThreaded(directory)));
      for (const directory of left) walkGroups(directory, { leave: removeBelow });
      left = removeEmpty(left);
      return left.length === 0;
    },
    hopeless: () => keptFrozen(left),
    late: (timeoutMs) => `the group could not be removed within ${timeoutMs} ms: ${stillRunning(left)}`,
  });
}

/** Removes the directories that are empty. @returns those in which there still is something */
export function removeEmpty(directories: readonly string[]): string[] {
  return directories.filter((directory) => {
    try {
      rmdirSync(directory);
      return false;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return false;
      if (code === 'EBUSY') return true;
      throw error;
    }
  });
}

const MAX_TRIES = 2500;
const PAUSE_NANOSECONDS = 2_000_000;

/**
 * The steps that remove a planned group, for a launcher that stands alone: kills what is left of it (on v2), or lets it go on if it is frozen (on v1), since what is killed
 * cannot end before; and tries for five seconds.
 * The process that takes them must not be in the group itself: it lets a child join, and waits for it.
 * Fails with EBUSY where processes stay; the groups that a container has made below its own, frozen or not, are left to {@link collectGarbage}.
 *
 * @example
 * ```ts
 * import { groupName, planGroup, removeSteps } from '@ctr/cgroups';
 * import { explain } from '@ctr/syscall';
 * console.log(explain(removeSteps(planGroup(groupName(), { pids: 20 }))));
 * ```
 */
export function removeSteps({ places }: { readonly places: readonly Place[] }): Step[] {
  // What keeps a process keeps the directories of all hierarchies.
  const ends = places.flatMap(({ version, controllers, directory }) =>
    version === 2 ? killSteps(directory) : controllers.includes('freezer') ? thawSteps(directory) : [],
  );
  return [...ends, ...places.flatMap(({ directory }) => removeDirectory(directory))];
}

/** A group of version 1 that is not frozen takes this, too. */
function thawSteps(directory: string): Step[] {
  const gone = label('its processes can end');
  const open: Step = {
    call: 'openat',
    args: [AT_FDCWD, `${directory}/freezer.state`, openFlags.O_WRONLY | openFlags.O_CLOEXEC, 0],
    purpose: 'whether the group is frozen',
    as: 'freezer_state',
    tolerates: ['ENOENT'],
    jump: { when: '<', to: gone },
  };
  return [
    open,
    { call: 'write', args: [resultOf(open), 'THAWED', 6], purpose: 'let it go on' },
    { call: 'close', args: [resultOf(open)], purpose: 'written' },
    gone,
  ];
}

function killSteps(directory: string): Step[] {
  const killed = label('its processes are about to end');
  const group: Step = {
    call: 'openat',
    args: [AT_FDCWD, directory, openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC, 0],
    purpose: 'what is left of the group',
    as: 'left',
    tolerates: ['ENOENT'],
    jump: { when: '<', to: killed },
  };
  const open: Step = {
    call: 'openat',
    args: [resultOf(group), 'cgroup.kill', openFlags.O_WRONLY | openFlags.O_CLOEXEC, 0],
    purpose: 'its kill switch',
    as: 'cgroup_kill',
  };
  return [
    group,
    open,
    { call: 'write', args: [resultOf(open), '1', 1], purpose: 'kill it' },
    { call: 'close', args: [resultOf(open)], purpose: 'written' },
    { call: 'close', args: [resultOf(group)], purpose: 'the group can be removed' },
    killed,
  ];
}

function removeDirectory(directory: string): Step[] {
  const tries = new Memory(8, 'tries');
  const removed = label('the group is gone');
  const remove = (): Step => ({ call: 'unlinkat', args: [AT_FDCWD, directory, atFlags.AT_REMOVEDIR], purpose: 'remove the group' });
  const first: Step = { ...remove(), tolerates: ['EBUSY', 'ENOENT'], jump: { when: '!=', than: -errnos.EBUSY, to: removed } };
  return [
    first,
    { call: 'nanosleep', args: [timespec({ tv_nsec: PAUSE_NANOSECONDS }), null], purpose: 'its last process is still ending', tolerates: ['EINTR'] },
    { call: 'add', args: [tries.u64(), 1], purpose: 'count the tries', into: tries.at(0), jump: { when: '<', than: MAX_TRIES, to: first } },
    { ...remove(), hints: { EBUSY: 'processes of the container are still running, or it has made groups below its own' } },
    removed,
  ];
}

/** Removes a group and those below it, as far as no process is in them. @returns whether there is nothing of it any more */
export function removeEmptyTree(directory: string): boolean {
  walkGroups(directory, { leave: removeBelow });
  return removeEmpty([directory]).length === 0;
}

function removeBelow(parent: Fd, name: Uint8Array): void {
  call({ call: 'unlinkat', args: [parent, name, atFlags.AT_REMOVEDIR], purpose: 'remove a group below', tolerates: ['EBUSY', 'ENOENT'] });
}
