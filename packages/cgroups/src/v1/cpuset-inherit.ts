import { existsSync } from 'node:fs';
import { dirname } from 'node:path';

import { AT_FDCWD, label, Memory, openFlags, resultOf, type Step } from '@ctr/syscall';

import { isWritable, type Place } from '../place.js';
import type { Setting } from '../setting.js';

/** A list of all processors that Linux can have, each by itself, is longer; one of ranges never comes near. */
const LIST_BYTES = 4096;

/** Which directories have a cpuset: a hierarchy keeps its controllers as long as it is mounted. */
const cpusets = new Map<string, boolean>();

/** Whether a group is in the hierarchy of version 1 that has the cpuset controller, be it for the sake of another one that is mounted together with it. */
export function isCpuset({ version, base }: Place): boolean {
  if (version !== 1) return false;
  let known = cpusets.get(base);
  if (known === undefined) cpusets.set(base, (known = existsSync(`${base}/cpuset.cpus`)));
  return known;
}

/**
 * A new group of the cpuset controller has neither processors nor memory, and takes no process. The groups above and this one get those of the one above each, where they have none.
 * It is the kernel that passes the lists on when the steps are taken: an executable may be run on another machine.
 *
 * @see Documentation/admin-guide/cgroup-v1/cpusets.rst of the kernel
 */
export function inheritCpuset(
  { parents, directory, existing = false }: Pick<Place, 'parents' | 'directory' | 'existing'>,
  settings: readonly Setting[],
): Step[] {
  const list = new Memory(LIST_BYTES, 'list');
  // Whoever was given a group may not write to those above, which have a list then.
  return [...parents.filter((group) => !existing || isWritable(`${group}/cpuset.cpus`)), directory].flatMap((group) =>
    ['cpuset.cpus', 'cpuset.mems']
      .filter((file) => group !== directory || !settings.some((setting) => setting.file === file))
      .flatMap((file) => inherit(`${dirname(group)}/${file}`, `${group}/${file}`, file, list)),
  );
}

function inherit(above: string, own: string, file: string, list: Memory): Step[] {
  const name = file.replace('.', '_');
  const done = label(`the group has ${file}`);
  const hints = { ENOENT: 'the group is gone: something else removes the groups of this parent' };
  const open: Step = { call: 'openat', args: [AT_FDCWD, own, openFlags.O_RDWR | openFlags.O_CLOEXEC, 0], purpose: `open ${file}`, as: name, hints };
  // Nothing reads as an empty line.
  const look: Step = {
    call: 'read',
    args: [resultOf(open), list, LIST_BYTES],
    purpose: 'what the group has already',
    jump: { when: '!=', than: 1, to: done },
  };
  const openAbove: Step = {
    call: 'openat',
    args: [AT_FDCWD, above, openFlags.O_RDONLY | openFlags.O_CLOEXEC, 0],
    purpose: 'that of the group above',
    as: `${name}_above`,
    hints,
  };
  const read: Step = { call: 'read', args: [resultOf(openAbove), list, LIST_BYTES], purpose: 'what it has', as: 'length' };
  return [
    open,
    look,
    openAbove,
    read,
    { call: 'close', args: [resultOf(openAbove)], purpose: 'read' },
    { call: 'write', args: [resultOf(open), list, resultOf(read)], purpose: `${file} of the group above` },
    done,
    { call: 'close', args: [resultOf(open)], purpose: 'nothing of the group stays open' },
  ];
}
