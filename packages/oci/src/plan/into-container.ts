import { readFileSync } from 'node:fs';

import { becomeUser } from '@ctr/security';
import { AT_FDCWD, continueInChild, openFlags, quote, resultOf, type Fd, type Step } from '@ctr/syscall';
import type { Namespace } from '@ctr/namespaces';
import type { Place } from '@ctr/cgroups';

import { foreignNamespaces, joinAll } from './join-all.js';

/** A group below that of a container: in all hierarchies or, by the names of controllers, in some. */
export type GroupBelow = string | Readonly<Record<string, string>>;

/** Where a process goes in one hierarchy. */
export function belowAt({ controllers }: Pick<Place, 'controllers'>, below: GroupBelow): string {
  if (typeof below === 'string') return below;
  return Object.entries(below).find(([name]) => controllers.some((controller) => isNamed(controller, name)))?.[1] ?? '';
}

/** A hierarchy without controllers has the name `name=systemd`, and is called `systemd`, too. */
function isNamed(controller: string, name: string): boolean {
  return controller === name || controller === `name=${name}`;
}

/** Throws a `TypeError` for a controller that is none of the container's. */
function checkControllers(places: readonly Place[], below: GroupBelow): void {
  for (const name of typeof below === 'string' ? [] : Object.keys(below))
    if (!places.some(({ controllers }) => controllers.some((controller) => isNamed(controller, name))))
      throw new TypeError(`the cgroup of the container has no controller ${quote(name)}`);
}

/** Steps that lead into a container. */
export interface WayIntoContainer {
  readonly steps: readonly Step[];
  /** What is joined. */
  readonly kinds: readonly Namespace[];
}

/**
 * Into the cgroup and the namespaces of a process of a container: the plan goes on as a process that belongs there, at the container's root.
 * The namespaces are joined at once, so that no rights of the caller's are left between one and the next; that of groups, which gives and takes none, once it is in its group.
 *
 * @param below the group to be in, below that of the container
 */
export function wayIntoContainer(pid: number, pidfd: Fd, places: readonly Place[], below: GroupBelow = ''): WayIntoContainer {
  checkControllers(places, below);
  const kinds = foreignNamespaces(pid);
  const belowIn = (place: Place): string => belowAt(place, below) || (place.version === 2 ? groupOfFirst(pid, place) : '');
  // Being born in a group of v2 costs nothing, where moving there waits for a lock on the whole system. Who has become another user may not; and a group that was there before the container may have been killed once, which kernels from 6.14 on have who is born there die of.
  const unified = kinds.includes('user') ? undefined : places.find(({ version, existing = false }) => version === 2 && !existing);
  const group: Step | undefined = unified && {
    call: 'openat',
    args: [AT_FDCWD, pathIn(unified, belowIn(unified)), openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC, 0],
    purpose: "the container's cgroup of v2",
    as: 'group',
  };
  // From within a namespace of groups nobody may go to a group from one outside of it, where cgroup2 is mounted with `nsdelegate`, as systemd does.
  const late: readonly Namespace[] = group && kinds.includes('cgroup') ? ['cgroup'] : [];
  const joined = joinAll(
    pidfd,
    kinds.filter((kind) => !late.includes(kind)),
  );
  return {
    kinds,
    steps: [
      ...places.filter((place) => place !== unified).flatMap((place) => joinGroup(place, belowIn(place))),
      ...(group ? [group] : []),
      ...joined,
      ...(kinds.includes('user') ? becomeUser({ uid: 0, gid: 0 }) : []),
      ...continueInChild({ memory: kinds.includes('time') ? 'copied' : 'shared', ...(group && { cgroup: resultOf(group) }) }),
      ...(group ? [{ call: 'close', args: [resultOf(group)], purpose: 'it is in the group' } satisfies Step] : []),
      ...joinAll(pidfd, late),
    ],
  };
}

/**
 * Where a container has divided its group of v2, as systemd does in one, no process can be in that any more: a further one is where the first one is, below it.
 *
 * @see Documentation/admin-guide/cgroup-v2.rst of the kernel: No Internal Process Constraint
 */
function groupOfFirst(pid: number, { directory }: Place): string {
  if (textOf(`${directory}/cgroup.subtree_control`) === '') return '';
  const [, path = ''] = /^0::(.*)$/m.exec(textOf(`/proc/${pid}/cgroup`)) ?? [];
  const names = path.split('/').filter(Boolean);
  // The path is another from within another namespace of groups: how much of it lies below is looked up.
  const ends = names.map((_, i) => names.slice(i).join('/')).toReversed();
  return ends.find((end) => textOf(`${directory}/${end}/cgroup.procs`).split('\n').includes(String(pid))) ?? '';
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1').trim();
  } catch {
    // It is gone, and so is the container, which the plan finds out.
    return '';
  }
}

/** Moves the process that takes these steps to a group of the host, or to one below it. */
export function joinGroup(place: Place, below: string): Step[] {
  const path = `${pathIn(place, below)}/${place.version === 1 ? 'tasks' : 'cgroup.procs'}`;
  const open: Step = { call: 'openat', args: [AT_FDCWD, path, openFlags.O_WRONLY | openFlags.O_CLOEXEC, 0], purpose: "the container's cgroup", as: 'members' };
  return [
    open,
    {
      call: 'write',
      args: [resultOf(open), '0', 1],
      purpose: 'join it',
      hints: { EBUSY: 'the group passes controllers on to groups below it, so that no process can be in it: name one of these' },
    },
    { call: 'close', args: [resultOf(open)], purpose: 'it is joined' },
  ];
}

function pathIn({ directory }: Place, below: string): string {
  return below === '' ? directory : `${directory}/${below}`;
}
