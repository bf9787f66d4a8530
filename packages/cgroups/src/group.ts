import { checkOptions, perform } from '@ctr/syscall';

import { addProcess } from './add.js';
import type { Stats } from './counter.js';
import type { EventStream } from './event-stream.js';
import { watchEvents, type CgroupEvent, type EventOptions } from './events.js';
import { freeze, thaw } from './freeze.js';
import { groupName } from './group-name.js';
import { killMembers, members } from './kill.js';
import { hierarchyOf, readLayout } from './layout.js';
import type { Limits } from './limits.js';
import { planGroup, type GroupOptions, type PlannedGroup } from './plan-group.js';
import { removeGroup } from './remove.js';
import { setLimits } from './set.js';
import { stillRunning } from './still-running.js';
import { statsOf } from './usage.js';
import { waitUntil, type WaitOptions } from './wait.js';

/** A group of processes. Disposing removes it, with what runs in it. */
export interface Cgroup extends AsyncDisposable {
  /** As it was given to {@link createGroup}. */
  readonly path: string;
  /** Which control groups it is made of. */
  readonly version: 1 | 2 | 'hybrid';
  /** One for each hierarchy it is in. */
  readonly directories: readonly string[];
  /** Moves a process into it, with all its threads; its future children are born in it. Rejects with a `SyscallError` (ESRCH, EACCES, EBUSY). */
  add(pid: number): Promise<void>;
  /** Changes limits: all that are given or, if the kernel refuses one, none. Rejects with a `SyscallError` (EBUSY, EINVAL). */
  set(limits: Limits): Promise<void>;
  /** The processes in it and in the groups below. */
  pids(): number[];
  /** What it has used, and uses now: all figures are `undefined` once it is gone. */
  stats(): Stats;
  /** What happens to it, as it happens: see {@link watchEvents}. */
  events(options?: EventOptions): EventStream<CgroupEvent>;
  /** Stops all its processes where they are, and waits until they have stopped. */
  freeze(options?: WaitOptions): Promise<void>;
  /** Lets them go on. */
  thaw(options?: WaitOptions): Promise<void>;
  /** Kills all its processes, and waits until none is left. The group stays. */
  kill(options?: WaitOptions): Promise<void>;
  /** Kills all its processes, and removes it and the groups below. A second time does nothing. */
  remove(options?: WaitOptions): Promise<void>;
}

/** How a group is made. */
export type CreateOptions = Pick<GroupOptions, 'layout' | 'measure'>;

/**
 * Makes a group of processes with limits. Nothing is in it yet.
 *
 * Rejects before anything is made: with a `TypeError` or `RangeError` for a path or limits that cannot be, with a {@link CgroupError} where the control groups of this system
 * cannot do it; and with a `SyscallError` (EEXIST for a group that is there already), after which nothing of it is left.
 *
 * @param path with a leading slash below the top of the mount, without one below the group of this process
 * @see cgroups(7)
 * @example
 * ```ts
 * import { createGroup } from '@ctr/cgroups';
 * const group = await createGroup(`/ctr/jobs-${process.pid}`, { pids: 20 }, { measure: ['cpu'] });
 * await group.set({ pids: 40 });
 * console.log(group.stats().pidsCurrent); // 0
 * await group.remove();
 * ```
 */
export function createGroup(path: string, limits: Limits = {}, options: CreateOptions = {}): Promise<Cgroup> {
  return new Promise((resolve) => resolve(create(path, limits, options)));
}

/**
 * Limits what a process may use, and its future children with it: makes a group below `/ctr` and moves it there. The children it has already stay where they are.
 * Removing the group, or disposing it, kills what is in it; if this process dies before it does, {@link collectGarbage} of another does.
 *
 * @example
 * ```ts
 * import { spawn } from 'node:child_process';
 * import { limit } from '@ctr/cgroups';
 * const child = spawn('sleep', ['60']);
 * const group = await limit(child.pid ?? 0, { pids: 20, memoryBytes: 64 * 2 ** 20 });
 * await group.remove();
 * ```
 */
export async function limit(pid: number, limits: Limits, options: CreateOptions = {}): Promise<Cgroup> {
  const group = await createGroup(`/ctr/${groupName()}`, limits, options);
  try {
    await group.add(pid);
  } catch (error) {
    await group.remove();
    throw error;
  }
  return group;
}

function create(path: string, limits: Limits, options: CreateOptions): Cgroup {
  checkOptions('createGroup', options, ['layout', 'measure']);
  const slash = path.lastIndexOf('/');
  const parent = slash < 0 ? '.' : slash === 0 ? '/' : path.slice(0, slash);
  const layout = options.layout ?? readLayout();
  // On v1 a kernel may lack the freezer: the group is of use without it.
  const freezer = hierarchyOf(layout, 'freezer') !== undefined || layout.mode !== 'v1';
  const plan = planGroup(path.slice(slash + 1), limits, { ...options, layout, parent, freezer });
  try {
    perform([...plan.create, ...plan.close]);
  } catch (error) {
    plan.undo(error);
    throw error;
  }
  return handle(path, plan);
}

function handle(path: string, { places, directories }: PlannedGroup): Cgroup {
  const versions = new Set(places.map(({ version }) => version));
  return {
    path,
    version: versions.size === 2 ? 'hybrid' : versions.has(1) ? 1 : 2,
    directories,
    add: (pid) => addProcess(places, pid),
    set: (limits) => setLimits(places, limits),
    pids: () => [...new Set(directories.flatMap(members))],
    stats: () => statsOf(directories),
    events: (options) => watchEvents(directories, options),
    freeze: (options) => freeze(places, options),
    thaw: (options) => thaw(places, options),
    kill: (options) => kill(directories, options),
    remove: (options) => removeGroup(directories, options),
    [Symbol.asyncDispose]: () => removeGroup(directories),
  };
}

async function kill(directories: readonly string[], options: WaitOptions = {}): Promise<void> {
  await waitUntil(options, {
    done: () => {
      killMembers(directories);
      return directories.every((directory) => members(directory).length === 0);
    },
    late: (timeoutMs) => `the group could not be killed within ${timeoutMs} ms: ${stillRunning(directories)}`,
  });
}
