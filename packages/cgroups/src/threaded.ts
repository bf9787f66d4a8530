import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';

import { isSyscallError } from '@ctr/syscall';

import { moveIds } from './add.js';
import { CgroupError } from './error.js';
import { threads } from './members.js';
import { readWords } from './read-words.js';
import { writeControl } from './write-control.js';

/** kernel/cgroup/cgroup.c, `cgrp_dfl_threaded_ss_mask`: the controllers that can tell threads of one process apart. */
const threadedControllers = ['cpu', 'cpuset', 'perf_event', 'pids'];

/**
 * Makes a group of v2 one of threads, and the group above the one of their processes. Rejects with a {@link CgroupError} that says why that cannot be.
 *
 * @see Documentation/admin-guide/cgroup-v2.rst of the kernel, "Threads"
 */
export async function makeThreaded(directory: string): Promise<void> {
  try {
    await writeControl(`${directory}/cgroup.type`, 'threaded', 'make it a group of threads', {});
  } catch (error) {
    if (!isSyscallError(error) || error.code !== 'EOPNOTSUPP') throw error;
    throw new CgroupError('threaded', `${directory} cannot be a group of threads: ${whyNot(directory)}`, { cause: error });
  }
}

export function isThreaded(directory: string): boolean {
  return readWords(`${directory}/cgroup.type`)?.[0] === 'threaded';
}

/**
 * Moves the threads in a group and those below it to the group above, where their processes are: a group of threads goes without an end of anyone.
 * The processes themselves cannot be killed by way of such a group.
 */
export async function returnThreads(directory: string): Promise<void> {
  await moveIds(threads(directory).map(String), `${dirname(directory)}/cgroup.threads`, 'move a thread to the group above', {});
}

/** The kernel has one errno for all of this. */
function whyNot(directory: string): string {
  const above = dirname(directory);
  const type = readWords(`${above}/cgroup.type`)?.join(' ');
  if (type === 'domain invalid') return `${above} is below a group of threads without being one: make that threaded first`;
  const passed = readWords(`${above}/cgroup.subtree_control`) ?? [];
  const domain = passed.filter((name) => !threadedControllers.includes(name));
  if (domain.length > 0)
    return `${above} passes ${domain.join(' and ')} on, which counts processes only: give the groups below it limits of ${threadedControllers.join(', ')} alone`;
  const busy = siblings(directory).filter((sibling) => readWords(`${sibling}/cgroup.events`)?.join(' ').includes('populated 1') && !isThreaded(sibling));
  if (busy.length > 0) return `${above} has groups of processes below it (${busy.join(', ')}), and can have those or groups of threads: move these elsewhere`;
  if ((readWords(`${directory}/cgroup.threads`)?.length ?? 0) > 0) return 'there are processes in it already: make it threaded while it is empty';
  return `the kernel does not allow it below ${above}, whose cgroup.type is ${type ?? 'none'}`;
}

function siblings(directory: string): string[] {
  const above = dirname(directory);
  return readdirSync(above, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${above}/${name}`)
    .filter((sibling) => sibling !== directory);
}
