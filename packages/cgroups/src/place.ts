import { constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';

import { perUser, requireAccess } from '@ctr/syscall';

import { parseCgroupsPath, type CgroupsPath } from './cgroups-path.js';
import { CgroupError } from './error.js';
import { hierarchyOf, type CgroupLayout, type Hierarchy } from './layout.js';
import { isBusy, notPassedOn, tooBusy } from './pass-on.js';
import { readWords } from './read-words.js';

/** Where in one hierarchy a group goes. */
export interface Place {
  readonly version: 1 | 2;
  /** Those that limit or measure here; on v2 all in one place. */
  readonly controllers: readonly string[];
  /** A directory that is there already: the top of the mount, or this process's own group. */
  readonly base: string;
  /** The directories from below the base down to the one above the group. */
  readonly parents: readonly string[];
  readonly directory: string;
  /** On v2: whether the base and all parents pass the controllers on already. */
  readonly enabled: boolean;
  /** Whether the group itself was there, and is used as it is. @default false: the plan makes it */
  readonly existing?: boolean;
}

/**
 * The directories of a group that a plan makes, and that are to be removed with it: those that were there before stay.
 *
 * @example
 * ```ts
 * import { newDirectories, planGroup } from '@ctr/cgroups';
 * console.log(newDirectories(planGroup('jobs', { pids: 20 }, { existing: 'use' }).places));
 * ```
 */
export function newDirectories(places: readonly Place[]): string[] {
  return places.filter(({ existing = false }) => !existing).map(({ directory }) => directory);
}

/** What a group is for. */
export interface Needs {
  /** Controllers that limit or measure. */
  readonly controllers: readonly string[];
  /** Whether it needs a directory in the unified hierarchy, also without a controller there. */
  readonly unified?: boolean;
  /** Whether its processor time is to be read: on v1 another controller than the one that limits it. */
  readonly measuresCpu: boolean;
  readonly freezer: boolean;
  /** Whether it is to have a directory in every hierarchy, and on v2 every controller. */
  readonly everywhere?: boolean;
  /** Whether directories of its name that are there are taken: `only` leaves the hierarchies out in which there is none, unless a limit needs it. @default they are refused when the plan is carried out */
  readonly existing?: 'use' | 'only' | undefined;
}

/**
 * Finds the directories of a group, one in each hierarchy it needs, and checks that they can be made.
 * Throws a {@link CgroupError} if they cannot: nothing has been made then.
 */
export function findPlaces(
  name: string,
  { controllers, unified: needsUnified = false, measuresCpu, freezer, everywhere = false, existing }: Needs,
  layout: CgroupLayout,
  parent: string,
): Place[] {
  const path = parseCgroupsPath(parent);
  const wanted = new Map<Hierarchy, string[]>();
  const want = (hierarchy: Hierarchy, controller?: string): void => {
    const known = wanted.get(hierarchy) ?? [];
    if (controller !== undefined && !known.includes(controller)) known.push(controller);
    wanted.set(hierarchy, known);
  };
  for (const controller of controllers) want(required(layout, controller), controller);
  const unified = layout.hierarchies.find(({ version }) => version === 2);
  if (needsUnified) want(unified ?? required(layout, 'unified'));
  if (measuresCpu) {
    // cpu.stat of v2 tells the time of every group, without a controller.
    const cpuacct = hierarchyOf(layout, 'cpuacct') ?? unified;
    want(cpuacct ?? required(layout, 'cpuacct'), cpuacct?.version === 2 ? undefined : 'cpuacct');
  }
  if (freezer) {
    const hierarchy = hierarchyOf(layout, 'freezer') ?? unified;
    want(hierarchy ?? required(layout, 'freezer'), hierarchy?.version === 2 ? undefined : 'freezer');
  }
  if (everywhere) {
    for (const hierarchy of layout.hierarchies) {
      want(hierarchy);
      // Where controllers are spread over both versions, those of v2 are passed on only to groups that need them.
      for (const controller of hierarchy.version === 1 || layout.mode === 'v2' ? hierarchy.controllers : []) want(hierarchy, controller);
    }
  }
  return [...wanted].flatMap(([hierarchy, names]) => {
    const there = existing && findExisting(hierarchy, { names, needed: controllers, path, name });
    if (there) return [there];
    const isNeeded = names.some((controller) => controllers.includes(controller)) || (needsUnified && hierarchy === unified);
    return existing === 'only' && !isNeeded ? [] : [findPlace(hierarchy, names, path, name)];
  });
}

/** A group that is there, if the process may go there. One of v2 that lacks a controller which is needed is used as a new one would be: the groups above have to pass that on. */
function findExisting(
  hierarchy: Hierarchy,
  {
    names,
    needed,
    path: { fromTop, segments },
    name,
  }: { readonly names: readonly string[]; readonly needed: readonly string[]; readonly path: CgroupsPath; readonly name: string },
): Place | undefined {
  const base = fromTop ? hierarchy.mount : hierarchy.ownDirectory;
  if (base === undefined || hierarchy.readonly) return undefined;
  const parents = segments.map((_, i) => `${base}/${segments.slice(0, i + 1).join('/')}`);
  const directory = `${parents.at(-1) ?? base}/${name}`;
  if (!existsSync(directory)) return undefined;
  const place = { version: hierarchy.version, base, parents, directory, existing: true };
  if (hierarchy.version === 1) return isWritable(`${directory}/tasks`) ? { ...place, controllers: names, enabled: true } : undefined;
  if (!isWritable(`${directory}/cgroup.procs`) || !isWritable(`${commonAbove(directory, hierarchy)}/cgroup.procs`)) return undefined;
  const has = readWords(`${directory}/cgroup.controllers`) ?? [];
  const missing = needed.filter((controller) => names.includes(controller) && !has.includes(controller));
  const controllers = names.filter((controller) => has.includes(controller) || missing.includes(controller));
  return { ...place, controllers, enabled: missing.length === 0 || checkEnabled(base, parents, missing, fromTop) };
}

/** On v2 a process is moved by whoever may write to the nearest group that is above both where it is and where it goes. One that the mount does not show is as far up as that goes. */
function commonAbove(directory: string, { mount, ownDirectory }: Hierarchy): string {
  let at = directory;
  while (at !== mount && ownDirectory !== undefined && ownDirectory !== at && !ownDirectory.startsWith(`${at}/`)) at = dirname(at);
  return ownDirectory === undefined ? mount : at;
}

export function isWritable(file: string): boolean {
  try {
    requireAccess(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The directories of a group below one that is there: in the same hierarchies, so that a process is in both or in neither. On v2 only some controllers may be for it.
 * Throws a {@link CgroupError} where the group above lacks one of them.
 */
export function findPlacesBelow(above: readonly Place[], name: string, { controllers }: Needs): Place[] {
  const unified = above.find(({ version }) => version === 2);
  const v1 = above.filter(({ version }) => version === 1);
  const rest = controllers.filter((controller) => !v1.some((place) => place.controllers.includes(controller)));
  if (rest.length > 0 && !unified) {
    throw new CgroupError(
      'no-controller',
      `the group above was made without the ${rest.join(' and ')} controller, which on cgroup v1 has directories of its own: give it a limit of ${rest.join(' and ')} from the beginning ('max' is one)`,
    );
  }
  return above.map((place): Place => {
    const base = place.directory;
    const names = place.version === 1 ? place.controllers : rest;
    return {
      version: place.version,
      controllers: names,
      base,
      parents: [],
      directory: `${base}/${name}`,
      enabled: place.version === 1 || checkEnabled(base, [], rest, false),
    };
  });
}

/** Which directories of v2 are above a group: the base, and those below it that are there. */
export function unifiedDirectoriesAbove({ fromTop, segments }: CgroupsPath, layout: CgroupLayout): string[] {
  const unified = layout.hierarchies.find(({ version }) => version === 2);
  const base = fromTop ? unified?.mount : unified?.ownDirectory;
  if (base === undefined) return [];
  return [base, ...segments.map((_, i) => `${base}/${segments.slice(0, i + 1).join('/')}`)].filter((directory) => existsSync(directory));
}

function required(layout: CgroupLayout, controller: string): Hierarchy {
  const hierarchy = hierarchyOf(layout, controller);
  if (hierarchy) return hierarchy;
  if (layout.mode === 'none') {
    throw new CgroupError(
      'not-mounted',
      `no control groups are mounted here, and a limit needs the ${controller} controller: mount -t cgroup2 none /sys/fs/cgroup (as root), or run without limits; in a container, start it with its /sys/fs/cgroup`,
    );
  }
  const unified = layout.hierarchies.find(({ version }) => version === 2);
  const has = layout.hierarchies.flatMap(({ controllers }) => controllers).filter((name) => !name.startsWith('name='));
  throw new CgroupError(
    'no-controller',
    `no control group hierarchy here has the ${controller} controller (there are: ${has.join(', ') || 'none'}): ` +
      (unified && unified.ownPath !== '/'
        ? `the group above ${unified.mount} has to pass it on (systemd: Delegate=yes for the unit), or the kernel was started with cgroup_disable=${controller}`
        : `see /proc/cgroups: the kernel was built without it, or started with cgroup_disable=${controller}, or its v1 hierarchy is not mounted`),
  );
}

function findPlace(hierarchy: Hierarchy, controllers: readonly string[], { fromTop, segments }: CgroupsPath, name: string): Place {
  const base = fromTop ? hierarchy.mount : hierarchy.ownDirectory;
  const which = controllers.length > 0 ? controllers.join(' and ') : 'unified';
  if (base === undefined)
    throw new CgroupError(
      'not-delegated',
      `the mount ${hierarchy.mount} does not show the ${which} group of this process, ${hierarchy.ownPath}: give an absolute parent`,
    );
  if (hierarchy.readonly) {
    throw new CgroupError(
      'read-only',
      `${hierarchy.mount} is mounted read-only, so no ${which} group can be made: run outside of the container, or start that with its control groups writable (docker: --privileged, podman: --security-opt unmask=/sys/fs/cgroup)`,
    );
  }
  const parents = segments.map((_, i) => `${base}/${segments.slice(0, i + 1).join('/')}`);
  checkWritable([base, ...parents], which, fromTop);
  return {
    version: hierarchy.version,
    controllers,
    base,
    parents,
    directory: `${parents.at(-1) ?? base}/${name}`,
    enabled: hierarchy.version === 1 || checkEnabled(base, parents, controllers, fromTop),
  };
}

/** Directories that were found to be writable. One that no longer is gives its error when the group is made. */
const writable = perUser(() => new Set<string>());

/** The nearest directory that is there must be writable: in it the others are made. */
function checkWritable(directories: readonly string[], which: string, fromTop: boolean): void {
  for (const directory of directories.toReversed()) {
    if (writable().has(directory)) return;
    try {
      requireAccess(directory, constants.W_OK);
      writable().add(directory);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' && directory !== directories[0]) continue;
      if (code === 'EROFS')
        throw new CgroupError('read-only', `${directory} is read-only, so no ${which} group can be made in it: run where the control groups are writable`);
      if (code === 'EACCES' || code === 'EPERM') throw notDelegated(directory, which, fromTop);
      throw error;
    }
  }
}

function notDelegated(directory: string, which: string, fromTop: boolean): CgroupError {
  return new CgroupError(
    'not-delegated',
    `${directory} cannot be written by uid ${process.geteuid?.()}, so no ${which} group can be made in it: run as root, or in a group that is delegated to this user ` +
      `(systemd-run --user --scope -p Delegate=yes …, on cgroup v2)${fromTop ? ' with a parent without a leading slash, which is one below that group' : ''}`,
  );
}

/**
 * Whether the base and all parents pass the controllers on to the groups below them. If not, whether they can be made to.
 * The kernel lets a group other than the root pass controllers on only while no process is in it.
 */
function checkEnabled(base: string, parents: readonly string[], controllers: readonly string[], fromTop: boolean): boolean {
  if (controllers.length === 0) return true;
  const missing = (file: string): string[] => {
    const words = readWords(file);
    return controllers.filter((controller) => !words?.includes(controller));
  };
  const closed = [base, ...parents].filter((directory) => missing(`${directory}/cgroup.subtree_control`).length > 0);
  if (closed.length === 0) return true;
  const absent = missing(`${base}/cgroup.controllers`);
  if (absent.length > 0) throw notPassedOn(base, absent);
  for (const directory of closed) if (isBusy(directory)) throw tooBusy(directory, controllers);
  if (closed[0] === base) {
    try {
      requireAccess(`${base}/cgroup.subtree_control`, constants.W_OK);
    } catch {
      throw notDelegated(`${base}/cgroup.subtree_control`, controllers.join(' and '), fromTop);
    }
  }
  return false;
}
