import { accessSync, constants, readFileSync } from 'node:fs';

import { CgroupError } from './error.js';
import { checkName } from './group-name.js';
import { hierarchyOf, type CgroupLayout, type Hierarchy } from './layout.js';

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
}

/**
 * Finds the directories of a group, one in each hierarchy it needs, and checks that they can be made.
 * Throws a {@link CgroupError} if they cannot: nothing has been made then.
 */
export function findPlaces(
  name: string,
  { controllers, unified: needsUnified = false, measuresCpu, freezer }: Needs,
  layout: CgroupLayout,
  parent: string,
): Place[] {
  const segments = parentSegments(parent);
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
  return [...wanted].map(([hierarchy, names]) => findPlace(hierarchy, names, segments, parent.startsWith('/'), name));
}

/** `/` is the top of the mount and `.` this process's own group; anything else goes below one of them. */
export function parentSegments(parent: string): string[] {
  if (parent === '/' || parent === '.') return [];
  const segments = parent.replace(/^\//, '').split('/');
  for (const segment of segments) checkName(segment);
  return segments;
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

function findPlace(hierarchy: Hierarchy, controllers: readonly string[], segments: readonly string[], fromTop: boolean, name: string): Place {
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
const writable = new Set<string>();

/** The nearest directory that is there must be writable: in it the others are made. */
function checkWritable(directories: readonly string[], which: string, fromTop: boolean): void {
  for (const directory of directories.toReversed()) {
    if (writable.has(directory)) return;
    try {
      accessSync(directory, constants.W_OK);
      writable.add(directory);
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
  if (absent.length > 0) {
    throw new CgroupError(
      'no-controller',
      `${base} has no ${absent.join(' and no ')} controller (there are: ${readWords(`${base}/cgroup.controllers`)?.join(', ') || 'none'}): the group above it has to pass it on, ` +
        `by ${absent.map((name) => `+${name}`).join(' ')} in its cgroup.subtree_control (systemd: Delegate=${absent.join(' ')} for the unit)`,
    );
  }
  for (const directory of closed) {
    // The root of the whole tree has no type, and no such rule.
    if (readWords(`${directory}/cgroup.type`) === undefined || !readWords(`${directory}/cgroup.procs`)?.length) continue;
    throw new CgroupError(
      'busy',
      `${directory} has processes in it, which keeps it from passing ${controllers.join(' and ')} on to groups below (the "no internal processes" rule of cgroup v2): ` +
        `move them to a group of their own first: mkdir ${directory}/init && for pid in $(cat ${directory}/cgroup.procs); do echo $pid > ${directory}/init/cgroup.procs; done`,
    );
  }
  if (closed[0] === base) {
    try {
      accessSync(`${base}/cgroup.subtree_control`, constants.W_OK);
    } catch {
      throw notDelegated(`${base}/cgroup.subtree_control`, controllers.join(' and '), fromTop);
    }
  }
  return false;
}

function readWords(file: string): string[] | undefined {
  try {
    return readFileSync(file, 'latin1').split(/\s+/).filter(Boolean);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
