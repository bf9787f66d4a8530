import { existsSync, readFileSync } from 'node:fs';

import { atFlags, call, checkOptions, type Fd } from '@ctr/syscall';

import { openGroup } from './cgroups-path.js';
import { CgroupError } from './error.js';
import { delegateHints } from './hints.js';

/** Whom a group is given to. */
export interface Delegate {
  readonly uid: number;
  readonly gid: number;
}

/** What the kernel names where it does not say so itself (/sys/kernel/cgroup/delegate, kernel 4.15 and later, is not mounted in every container). */
const delegatedFiles = ['cgroup.procs', 'cgroup.threads', 'cgroup.subtree_control'];
const MAX_ID = 2 ** 32 - 2;

/**
 * Gives a group of cgroup v2 to another user: to make groups below it, move processes between them, and divide among them what the group itself may use. Its own limits stay
 * this user's to change: only the directory and the files that /sys/kernel/cgroup/delegate lists get the new owner. Processes get into it only from here, by `add`.
 *
 * Throws a {@link CgroupError} of kind `not-delegated` for a group of version 1, where whoever may make groups below can get around limits; of kind `gone`;
 * a `SyscallError` (EPERM, EROFS), after which all has its former owner. The controllers that the user can pass on are those that the group was made with.
 *
 * @see https://systemd.io/CGROUP_DELEGATION, and Documentation/admin-guide/cgroup-v2.rst of the kernel, "Delegation"
 * @example
 * ```ts
 * import { CgroupError, createGroup, delegate } from '@ctr/cgroups';
 * const group = await createGroup(`/ctr/user-${process.pid}`, { pids: 100 });
 * try {
 *   delegate(group, { uid: 1000, gid: 1000 });
 * } catch (error) {
 *   if (!(error instanceof CgroupError)) throw error;
 *   console.log(error.kind); // not-delegated, on version 1
 * } finally {
 *   await group.remove();
 * }
 * ```
 */
export function delegate(group: { readonly directories: readonly string[] }, to: Delegate): void {
  checkOptions('delegate', to, ['uid', 'gid']);
  for (const id of [to.uid, to.gid])
    if (!Number.isInteger(id) || id < 0 || id > MAX_ID) throw new RangeError(`${id} is not the id of a user or group: those go from 0 to ${MAX_ID}`);
  for (const directory of group.directories) {
    if (!existsSync(directory)) throw new CgroupError('gone', `${directory} is not there any more: someone has removed it`);
    if (!existsSync(`${directory}/cgroup.controllers`)) {
      throw new CgroupError(
        'not-delegated',
        `${directory} is of cgroup version 1, where a group cannot be given to another user safely: its limits do not hold for all that is made below it. Boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1)`,
      );
    }
  }
  const files = filesToGive();
  for (const directory of group.directories) {
    using at = openGroup(directory);
    giveAll(at, files, to);
  }
}

function giveAll(at: Fd, files: readonly string[], to: Delegate): void {
  const given: string[] = [];
  try {
    for (const file of files) {
      const result = call({
        call: 'fchownat',
        args: [at, file, to.uid, to.gid, atFlags.AT_SYMLINK_NOFOLLOW],
        purpose: `give ${file} to uid ${to.uid}`,
        tolerates: ['ENOENT'],
        hints: delegateHints,
      });
      if (result === 0) given.push(file);
    }
    call({ call: 'fchownat', args: [at, '', to.uid, to.gid, atFlags.AT_EMPTY_PATH], purpose: `give the group to uid ${to.uid}`, hints: delegateHints });
  } catch (error) {
    const { uid, gid } = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
    for (const file of given)
      call({ call: 'fchownat', args: [at, file, uid, gid, atFlags.AT_SYMLINK_NOFOLLOW], purpose: `take ${file} back`, tolerates: 'any' });
    throw error;
  }
}

function filesToGive(): readonly string[] {
  try {
    return readFileSync('/sys/kernel/cgroup/delegate', 'latin1').split('\n').filter(Boolean);
  } catch {
    return delegatedFiles;
  }
}
