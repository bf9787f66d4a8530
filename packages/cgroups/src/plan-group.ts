import { AT_FDCWD, checkOptions, isSyscallError, openFlags, resultOf, quote, type ResultOf, type Step } from '@ctr/syscall';

import { checkLimits } from './check-limits.js';
import { changesAt, ioHere, limitNeeds, settingsAt } from './controllers.js';
import type { Usage } from './counter.js';
import { devicePlace, deviceSteps } from './devices.js';
import { makeDirectory, writeFile } from './directory.js';
import { checkSegment } from './cgroups-path.js';
import { joinHints } from './hints.js';
import { markStep, type GroupMark } from './mark.js';
import { readLayout, type CgroupLayout } from './layout.js';
import type { Limits } from './limits.js';
import { findPlaces, newDirectories, type Needs, type Place } from './place.js';
import { removeGroup } from './remove.js';
import { readNow } from './read-now.js';
import { usageOf } from './usage.js';
import { inheritCpuset, isCpuset } from './v1/cpuset-inherit.js';
import { writeSetting } from './write-setting.js';

/** How a group is planned. */
export interface GroupOptions {
  /** What {@link readLayout} has found. @default it is read anew */
  readonly layout?: CgroupLayout;
  /** The group above: with a leading slash below the top of the mount, without one below the group of this process (`/` and `.` are these themselves). It is made if need be, and stays. @default '/ctr' */
  readonly parent?: string;
  /** What is to be read of it, also where nothing limits it. @default nothing */
  readonly measure?: readonly ('memory' | 'cpu' | 'pids' | 'io')[];
  /** Whether it can be frozen. On v1 that takes one more group. @default false */
  readonly freezer?: boolean;
  /** Whether it is made in every hierarchy, limited there or not, so that whoever looks at one finds its processes: what engines expect. @default false */
  readonly everywhere?: boolean;
  /** v1: whether the kernel runs the release agent of the hierarchy, if one is set, when the last process has left. @default true */
  readonly notifyOnRelease?: boolean;
  /**
   * What becomes of directories of the group's name that are there: `use` takes them as they are, with what is set on them, and the limits are set there; `only` takes them, and makes others
   * only where a limit needs them: an ordinary user's, to whom they were given. @default they are refused when the plan is carried out
   */
  readonly existing?: 'use' | 'only';
  /** What the directories that the plan makes are marked with, to be known again: see {@link removeMarked}. @default nothing */
  readonly mark?: GroupMark;
}

/** A group that is planned. Nothing is there of it until a reader takes the steps. */
export interface PlannedGroup {
  /** All of it: makes the group, sets the limits, joins, and closes what it has opened. */
  readonly steps: readonly Step[];
  /** The first part of {@link steps}: makes the group and sets the limits. The directories stay open. */
  readonly create: readonly Step[];
  /** The second part: the process that takes the steps (it has one thread) joins the group. */
  readonly join: readonly Step[];
  /** The last part: closes the directories. */
  readonly close: readonly Step[];
  /** The directory's fd after {@link create}, for `CLONE_INTO_CGROUP` in the place of {@link join}; `undefined` where one fd is not the whole group (v1). */
  readonly cgroup: ResultOf | undefined;
  /** The part of {@link join} that is about v1. */
  readonly joinV1: readonly Step[];
  /** The fd of its directory of v2, if it has one: with {@link joinV1} before it, `CLONE_INTO_CGROUP` takes the place of {@link join}. */
  readonly unified: ResultOf | undefined;
  /** One for each hierarchy that is used: none where nothing is limited or measured. */
  readonly directories: readonly string[];
  readonly places: readonly Place[];
  /** What the group has used until now. Call it before the group is removed. */
  readonly read: () => Usage;
  /**
   * After a plan has failed: removes the directories that it has made, and, where one was there before it, not that one. What still runs in them is killed.
   * The kernel may keep a directory for a moment after the end of its last process: that is waited for.
   * Rejects with a `CgroupError` `still-running` if something cannot be removed: it is left to `collectGarbage`.
   */
  undo(error?: unknown): Promise<void>;
}

/**
 * Plans a group of processes with limits, and that the process which takes the steps joins it. Only hierarchies with a controller that a limit or a measure needs get a directory.
 *
 * Throws before anything is made: a `TypeError` or `RangeError` for a name or limits that cannot be, a {@link CgroupError} where the control groups of this system cannot do it.
 *
 * @param name the directory's name, see {@link groupName}
 * @see cgroups(7)
 * @example
 * ```ts
 * import { groupName, planGroup } from '@ctr/cgroups';
 * import { explain } from '@ctr/syscall';
 * const group = planGroup(groupName('web'), { pids: 20, memoryBytes: 64 * 2 ** 20 });
 * console.log(explain(group.steps));
 * ```
 */
export function planGroup(name: string, limits: Limits, options: GroupOptions = {}): PlannedGroup {
  checkOptions('planGroup', options, ['layout', 'parent', 'measure', 'freezer', 'everywhere', 'notifyOnRelease', 'existing', 'mark']);
  const { parent = '/ctr', everywhere = false, notifyOnRelease = true, existing, mark } = options;
  checkSegment(name);
  const layout = options.layout ?? readLayout();
  const needs = { ...needsOf(limits, { ...options, layout }), everywhere, existing };
  const nothing = needs.controllers.length === 0 && !needs.unified && !needs.measuresCpu && !needs.freezer && !everywhere;
  return planAt(nothing ? [] : findPlaces(name, needs, layout, parent), limits, notifyOnRelease, mark);
}

/** What a group with these limits is for. Throws for limits and measures that cannot be. */
export function needsOf(limits: Limits, { measure = [], freezer = false, layout }: Pick<GroupOptions, 'measure' | 'freezer' | 'layout'>): Needs {
  checkLimits(limits);
  for (const what of measure)
    if (!['memory', 'cpu', 'pids', 'io'].includes(what)) throw new TypeError(`measure takes memory, cpu, pids and io, not ${quote(what)}`);
  const limited = Object.keys(limits).length > 0 ? limitNeeds(limits, layout ?? readLayout()) : { controllers: [], unified: false };
  const measured = measure.filter((what) => what !== 'cpu').map((what) => (what === 'io' ? ioHere(layout ?? readLayout()) : what));
  return { ...limited, controllers: [...new Set([...limited.controllers, ...measured])], measuresCpu: measure.includes('cpu'), freezer };
}

/** Plans a group whose places are settled. */
export function planAt(places: readonly Place[], limits: Limits, notifyOnRelease: boolean, mark?: GroupMark): PlannedGroup {
  const create: Step[] = [];
  const join: Step[] = [];
  const joinV1: Step[] = [];
  const close: Step[] = [];
  const opened = places.map((place) => {
    const { existing = false, directory } = place;
    create.push(...makeDirectory(place), ...(mark && !existing ? [markStep(directory, mark)] : []));
    const open: Step = {
      call: 'openat',
      args: [AT_FDCWD, place.directory, openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC, 0],
      purpose: 'the group',
      as: places.length === 1 ? 'group' : `${place.controllers.join('_')}_group`,
    };
    create.push(open);
    const settings = existing ? changesAt(place, limits, (file) => readNow(`${directory}/${file}`)) : settingsAt(place, limits);
    if (isCpuset(place)) create.push(...inheritCpuset(place, settings));
    for (const setting of settings) create.push(...writeSetting(resultOf(open), setting));
    if (limits.devices && place === devicePlace(places)) create.push(...deviceSteps(place, resultOf(open), limits.devices));
    if (place.version === 1 && notifyOnRelease && !existing)
      create.push(...writeFile(resultOf(open), { file: 'notify_on_release', value: '1' }, 'run the release agent, if there is one, at the end'));
    // The walker is a single thread, and `tasks` moves a single one: that spares it the system-wide lock on thread groups, which `cgroup.procs` waits for.
    const members = { file: place.version === 1 ? 'tasks' : 'cgroup.procs', value: '0' };
    const joining = writeFile(resultOf(open), members, 'join the group', joinHints);
    join.push(...joining);
    if (place.version === 1) joinV1.push(...joining);
    close.push({ call: 'close', args: [resultOf(open)], purpose: 'nothing of the group stays open' });
    return resultOf(open);
  });
  const directories = places.map(({ directory }) => directory);
  return {
    steps: [...create, ...join, ...close],
    create,
    join,
    close,
    cgroup: places.length === 1 ? bornIn(places, opened) : undefined,
    joinV1,
    unified: bornIn(places, opened),
    directories,
    places,
    read: () => usageOf(places),
    undo: (error) => removeGroup(newDirectories(places.slice(0, firstTaken(error, directories)))),
  };
}

/**
 * The open directory of v2, for `CLONE_INTO_CGROUP`. None for a group that was there: kernels from 6.14 on kill who is born in a group that was ever killed by `cgroup.kill`
 * from one that was not, or the other way round (they compare `kill_seq` of both), and do not kill who is moved there.
 */
function bornIn(places: readonly Place[], opened: readonly ResultOf[]): ResultOf | undefined {
  const index = places.findIndex(({ version }) => version === 2);
  return places[index]?.existing ? undefined : opened[index];
}

/** How many of the directories a failed plan has made at most: those before one that was there. */
function firstTaken(error: unknown, directories: readonly string[]): number {
  if (!isSyscallError(error) || error.call !== 'mkdirat' || error.code !== 'EEXIST') return directories.length;
  const index = directories.findIndex((directory) => error.line.includes(`"${directory}"`));
  return index < 0 ? directories.length : index;
}
