import { checkOptions, perform, quote } from '@ctr/syscall';

import { addProcess, addThread, addTree, moveAll, type AddOptions } from './add.js';
import { checkSegment, parseCgroupsPath } from './cgroups-path.js';
import type { Stats } from './counter.js';
import { CgroupError } from './error.js';
import type { EventStream } from './event-stream.js';
import { watchEvents, type CgroupEvent, type EventOptions } from './events.js';
import { freeze, thaw } from './freeze.js';
import { whileThere } from './gone.js';
import { groupName } from './group-name.js';
import { keptFrozen, killMembers } from './kill.js';
import { hierarchyOf, readLayout, type CgroupLayout } from './layout.js';
import type { Limits } from './limits.js';
import { members, threads } from './members.js';
import { passOn } from './pass-on.js';
import { findPlacesBelow, unifiedDirectoriesAbove, type Place } from './place.js';
import { needsOf, planAt, planGroup, type GroupOptions, type PlannedGroup } from './plan-group.js';
import { readWords } from './read-words.js';
import { removeGroup } from './remove.js';
import { setLimits } from './set.js';
import { stillRunning } from './still-running.js';
import { isThreaded, makeThreaded } from './threaded.js';
import { statsOf } from './usage.js';
import { waitUntil, type WaitOptions } from './wait.js';

/**
 * A group of processes. Disposing removes it, with what runs in it.
 *
 * What is asked of a group that somebody else has removed rejects with a {@link CgroupError} of kind `gone`; `kill` and `remove` have nothing to do then, and nothing is read.
 */
export interface Cgroup extends AsyncDisposable {
  /** As it was given to {@link createGroup}. */
  readonly path: string;
  /** Which control groups it is made of. */
  readonly version: 1 | 2 | 'hybrid';
  /** One for each hierarchy it is in. */
  readonly directories: readonly string[];
  /** Moves a process into it, with all its threads; its future children are born in it. Rejects with a `SyscallError` (ESRCH, EACCES, EBUSY). */
  add(pid: number, options?: AddOptions): Promise<void>;
  /**
   * Moves a single thread into it, by its id in the system (gettid(2)): on v2 within the threaded subtree of its process, on v1 anywhere.
   * Rejects with a `SyscallError` (ESRCH, EOPNOTSUPP).
   */
  addThread(tid: number): Promise<void>;
  /** Moves all processes that are in it and below to another group. Rejects with a {@link CgroupError} of kind `busy` if new ones keep appearing. */
  moveTo(group: Pick<Cgroup, 'add' | 'pids'>): Promise<void>;
  /**
   * Makes a group below this one, in the same hierarchies. On v2 this one has to pass on the controllers that the limits need, which it cannot with processes in it:
   * rejects with a {@link CgroupError} of kind `busy` then, unless `moveToLeaf` says where they go.
   */
  create(name: string, limits?: Limits, options?: NestedOptions): Promise<Cgroup>;
  /** Changes limits: all that are given or, if the kernel refuses one, none. Rejects with a `SyscallError` (EBUSY, EINVAL). */
  set(limits: Limits): Promise<void>;
  /** The processes in it and in the groups below. */
  pids(): number[];
  /** The threads in it and in the groups below. */
  threads(): number[];
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

/** How a group below another is made. */
export interface NestedOptions extends Pick<GroupOptions, 'measure'> {
  /**
   * On v2: whether it is one of threads, whose processes are in the group above; only the controllers that can tell threads apart limit it (cpu, cpuset, pids).
   * @see cgroups(7), "Thread mode" @default false
   */
  readonly threaded?: boolean;
  /**
   * On v2: the name of a group to which the processes of the group above are moved, if they keep that from passing controllers on; it is made if need be, and stays.
   * The group of this very process may be among those: `readLayout` says the leaf from then on. @default they are not moved
   */
  readonly moveToLeaf?: string;
}

/** How a group is made. */
export interface CreateOptions extends NestedOptions, Pick<GroupOptions, 'layout'> {}

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
export async function createGroup(path: string, limits: Limits = {}, options: CreateOptions = {}): Promise<Cgroup> {
  checkOptions('createGroup', options, ['layout', 'measure', 'threaded', 'moveToLeaf']);
  const { fromTop, segments } = parseCgroupsPath(path);
  const name = segments.at(-1);
  if (name === undefined) throw new TypeError(`${quote(path)} is there already: give a path below it`);
  const above = segments.slice(0, -1);
  const parent = fromTop ? `/${above.join('/')}` : above.join('/') || '.';
  const layout = options.layout ?? readLayout();
  // On v1 a kernel may lack the freezer: the group is of use without it.
  const freezer = hierarchyOf(layout, 'freezer') !== undefined || layout.mode !== 'v1';
  if (options.moveToLeaf !== undefined)
    await passOn(unifiedDirectoriesAbove({ fromTop, segments: above }, layout), unifiedControllers(limits, { ...options, layout }), options.moveToLeaf);
  return make(path, planGroup(name, limits, { ...(options.measure && { measure: options.measure }), layout, parent, freezer }), options);
}

/**
 * A group that is there already, by the places that {@link planGroup} has found for it: of a plan that has been launched, or one that was kept from an earlier process.
 *
 * @example
 * ```ts
 * import { groupAt, groupName, planGroup } from '@ctr/cgroups';
 * import { perform } from '@ctr/syscall';
 * const plan = planGroup(groupName(), { pids: 20 });
 * perform([...plan.create, ...plan.close]);
 * const group = groupAt(plan.places);
 * console.log(group.pids()); // []
 * await group.remove();
 * ```
 */
export function groupAt(places: readonly Place[]): Cgroup {
  return handle(places[0]?.directory ?? '', places);
}

/** How a process is limited. */
export interface LimitOptions extends Pick<CreateOptions, 'layout' | 'measure'>, AddOptions {}

/**
 * Limits what a process may use, and its future children with it: makes a group below `/ctr` and moves it there. The children it has already stay where they are, but with `tree`.
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
export async function limit(pid: number, limits: Limits, options: LimitOptions = {}): Promise<Cgroup> {
  checkOptions('limit', options, ['layout', 'measure', 'tree']);
  const { tree = false, ...rest } = options;
  const group = await createGroup(`/ctr/${groupName()}`, limits, rest);
  try {
    await group.add(pid, { tree });
  } catch (error) {
    await group.remove();
    throw error;
  }
  return group;
}

/** The controllers of v2 that limits need. */
function unifiedControllers(limits: Limits, options: Pick<GroupOptions, 'measure' | 'layout'>): string[] {
  const layout = options.layout ?? readLayout();
  return needsOf(limits, { ...options, layout }).controllers.filter((name) => hierarchyOf(layout, name)?.version === 2);
}

async function make(path: string, plan: PlannedGroup, { threaded = false }: NestedOptions): Promise<Cgroup> {
  const unified = plan.places.find(({ version }) => version === 2);
  if (threaded && !unified)
    throw new CgroupError('threaded', 'cgroup version 1 has no groups of threads: each of its groups takes single threads as well as processes, by addThread');
  try {
    perform([...plan.create, ...plan.close]);
    if (threaded && unified) await makeThreaded(unified.directory);
  } catch (error) {
    await plan.undo(error);
    throw error;
  }
  return handle(path, plan.places);
}

async function createBelow(path: string, places: readonly Place[], name: string, limits: Limits, options: NestedOptions): Promise<Cgroup> {
  checkOptions('create', options, ['measure', 'threaded', 'moveToLeaf']);
  checkSegment(name);
  const layout = layoutAt(places);
  const needs = needsOf(limits, { ...(options.measure && { measure: options.measure }), layout });
  if (options.moveToLeaf !== undefined) {
    const directories = places.filter(({ version }) => version === 2).map(({ directory }) => directory);
    await passOn(directories, unifiedControllers(limits, { ...options, layout }), options.moveToLeaf);
  }
  return make(`${path}/${name}`, planAt(findPlacesBelow(places, name, needs), limits, true), options);
}

/** Which controllers a group below others can have: those of its own directories, as if there were no other hierarchies. */
function layoutAt(places: readonly Place[]): CgroupLayout {
  const hierarchies = places.map(({ version, controllers, directory }) => ({
    version,
    controllers: version === 1 ? controllers : (readWords(`${directory}/cgroup.controllers`) ?? []),
    mount: directory,
    ownPath: '/',
    ownDirectory: undefined,
    readonly: false,
  }));
  const versions = new Set(hierarchies.map(({ version }) => version));
  return { mode: versions.size === 2 ? 'hybrid' : versions.has(1) ? 'v1' : 'v2', hierarchies };
}

function handle(path: string, places: readonly Place[]): Cgroup {
  const directories = places.map(({ directory }) => directory);
  const versions = new Set(places.map(({ version }) => version));
  const there = <T>(act: () => Promise<T>): Promise<T> => whileThere(directories, act);
  return {
    path,
    version: versions.size === 2 ? 'hybrid' : versions.has(1) ? 1 : 2,
    directories,
    add: (pid, options = {}) => {
      checkOptions('add', options, ['tree']);
      return there(() => (options.tree === true ? addTree(places, pid) : addProcess(places, pid)));
    },
    addThread: (tid) => there(() => addThread(places, tid)),
    moveTo: (group) => there(() => moveAll(directories, group)),
    create: (name, limits = {}, options = {}) => there(() => createBelow(path, places, name, limits, options)),
    set: (limits) => there(() => setLimits(places, limits)),
    pids: () => [...new Set(directories.flatMap(members))],
    threads: () => [...new Set(directories.flatMap(threads))],
    stats: () => statsOf(directories),
    events: (options) => watchEvents(directories, options),
    freeze: (options) => there(() => freeze(places, options)),
    thaw: (options) => there(() => thaw(places, options)),
    kill: (options) => kill(directories, options),
    remove: (options) => removeGroup(directories, options),
    [Symbol.asyncDispose]: () => removeGroup(directories),
  };
}

async function kill(directories: readonly string[], options: WaitOptions = {}): Promise<void> {
  const threaded = directories.find(isThreaded);
  if (threaded !== undefined)
    throw new CgroupError('threaded', `${threaded} is a group of threads, and a thread does not end alone: kill the group above, which has their processes`);
  await waitUntil(options, {
    done: () => {
      killMembers(directories);
      return directories.every((directory) => members(directory).length === 0);
    },
    hopeless: () => keptFrozen(directories),
    late: (timeoutMs) => `the group could not be killed within ${timeoutMs} ms: ${stillRunning(directories)}`,
  });
}
