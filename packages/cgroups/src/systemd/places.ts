import { existsSync, readFileSync } from 'node:fs';

import { limitNeeds } from '../controllers.js';
import { CgroupError } from '../error.js';
import type { CgroupLayout } from '../layout.js';
import type { Limits } from '../limits.js';
import { passOn } from '../pass-on.js';
import type { Place } from '../place.js';
import { readWords } from '../read-words.js';
import { unifiedOf } from './running.js';
import { expandSlice, type ScopeName } from './unit-name.js';

/** Where the processes are now, as the kernel says. */
export function placesOf(unit: string, pids: readonly number[], layout: CgroupLayout): Place[] {
  const { mount } = unifiedOf(layout);
  const [path] = pids.flatMap(groupOf);
  if (path === undefined) throw new CgroupError('unit', `systemd has made the scope ${unit}, but no process is in it any more: it has ended meanwhile`);
  const directory = `${mount}${path}`;
  if (!path.endsWith(`/${directoryOf(unit)}`) || path.startsWith('/../') || !existsSync(`${directory}/cgroup.procs`))
    throw new CgroupError(
      'no-systemd',
      `systemd has made the scope ${unit}, but its process is in ${path}, which ${mount} does not show so: run in the control group namespace of systemd`,
    );
  return [placeAt(mount, directory)];
}

/** The group of a process on version 2, which a line `0::/path` tells; none of one that has ended. @see cgroups(7), /proc/pid/cgroup */
function groupOf(pid: number): string[] {
  try {
    const line = readFileSync(`/proc/${pid}/cgroup`, 'latin1')
      .split('\n')
      .find((each) => each.startsWith('0::'));
    return line === undefined ? [] : [line.slice('0::'.length)];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return [];
    throw error;
  }
}

/**
 * Where the group of a scope of the system's systemd is, or will be.
 *
 * @example
 * ```ts no-run
 * import { readLayout } from '@ctr/cgroups';
 * import { parseScopePath, placesOfScope } from '@ctr/cgroups/systemd';
 * const [place] = placesOfScope(parseScopePath('machine.slice:ctr:web'), readLayout());
 * console.log(place?.directory); // /sys/fs/cgroup/machine.slice/ctr-web.scope
 * ```
 */
export function placesOfScope({ unit, slice = 'system.slice' }: ScopeName, layout: CgroupLayout): Place[] {
  const { mount } = unifiedOf(layout);
  const names = [...expandSlice(slice).split('/'), unit].filter(Boolean);
  return [placeAt(mount, [mount, ...names.map(directoryOf)].join('/'))];
}

/** systemd/src/basic/cgroup-util.h: CGroupController, by name */
const controllers = ['cpu', 'cpuacct', 'cpuset', 'io', 'blkio', 'memory', 'devices', 'pids', 'bpf-firewall', 'bpf-devices', 'bpf-foreign', 'bpf-socket-bind'];
const files = ['notify_on_release', 'release_agent', 'tasks'];

/** What a unit's directory is called: `_devices.scope`, since a controller may have a file `devices.scope`. @see systemd/src/basic/cgroup-util.c: cg_escape */
function directoryOf(unit: string): string {
  const isTaken = /^[_.]/.test(unit) || files.includes(unit) || ['cgroup', ...controllers].some((name) => unit.startsWith(`${name}.`));
  return isTaken ? `_${unit}` : unit;
}

/** Its controllers are those that the group above passes on, when it is there. */
function placeAt(mount: string, directory: string): Place {
  return { version: 2, controllers: readWords(`${directory}/cgroup.controllers`) ?? [], base: mount, parents: [], directory, enabled: true };
}

/** systemd does not know every controller: the groups above pass the others on when they are told to. */
export async function passAll([place]: readonly Place[], limits: Limits, layout: CgroupLayout): Promise<void> {
  if (!place) return;
  const missing = limitNeeds(limits, layout).controllers.filter((name) => !place.controllers.includes(name));
  if (missing.length === 0) return;
  const names = place.directory
    .slice(place.base.length + 1)
    .split('/')
    .slice(0, -1);
  await passOn([place.base, ...names.map((_, i) => `${place.base}/${names.slice(0, i + 1).join('/')}`)], missing);
}
