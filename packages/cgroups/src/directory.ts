import { AT_FDCWD, errnos, label, openFlags, resultOf, type ResultOf, type Step } from '@ctr/syscall';

import { directoryHints, enableHints, limitHints, openHints, type Hints } from './hints.js';
import type { Place } from './place.js';
import type { Setting } from './setting.js';

/** Makes the directory of a group. Those above may be there already; the group itself, which would be someone else's, may not, unless it is to be used as it is. */
export function makeDirectory({ version, base, parents, directory, controllers, enabled, existing = false }: Place): Step[] {
  if (existing && enabled) return [];
  const ready = label('the groups above are ready');
  const steps = parents.map((path): Step => ({
    call: 'mkdirat',
    args: [AT_FDCWD, path, 0o755],
    purpose: 'the group above',
    tolerates: ['EEXIST'],
    hints: directoryHints,
  }));
  const last = steps.at(-1);
  if (version === 2 && controllers.length > 0 && !(enabled && !last)) {
    // A group above that was there when the plan was made passes the controllers on; one that is new does not.
    if (last) steps.splice(-1, 1, enabled ? { ...last, jump: { when: '==', than: -errnos.EEXIST, to: ready } } : last);
    const value = controllers.map((controller) => `+${controller}`).join(' ');
    for (const path of [base, ...parents]) steps.push(...enable(`${path}/cgroup.subtree_control`, value));
    if (enabled) steps.push(ready);
  }
  return [
    ...steps,
    ...(existing
      ? []
      : [
          {
            call: 'mkdirat',
            args: [AT_FDCWD, directory, 0o755],
            purpose: `a ${controllers.join(' and ') || 'unified'} group`,
            hints: directoryHints,
          } satisfies Step,
        ]),
  ];
}

function enable(path: string, value: string): Step[] {
  const open: Step = {
    call: 'openat',
    args: [AT_FDCWD, path, openFlags.O_WRONLY | openFlags.O_CLOEXEC, 0],
    purpose: 'which controllers the groups below get',
    as: 'subtree_control',
  };
  return [open, ...writeAndClose(resultOf(open), value, 'pass the controllers on', enableHints)];
}

/** Writes one file of the group whose directory is open. */
export function writeFile(directory: ResultOf, setting: Setting, purpose: string, hints: Hints = limitHints): Step[] {
  const { file, value, absent } = setting;
  const open: Step = {
    call: 'openat',
    args: [directory, file, openFlags.O_WRONLY | openFlags.O_CLOEXEC, 0],
    purpose: `open ${file}`,
    as: file.replaceAll('.', '_'),
    hints: absent === undefined ? openHints : { ...openHints, ENOENT: absent },
  };
  return [open, ...writeAndClose(resultOf(open), value, purpose, setting.hints ? { ...hints, ...setting.hints } : hints)];
}

/** Writes a file that is open, and closes it. */
export function writeAndClose(file: ResultOf, value: string, purpose: string, hints: Hints): [write: Step, close: Step] {
  return [
    { call: 'write', args: [file, value, Buffer.byteLength(value)], purpose, hints },
    // A handle on a group of the host is a way out of the container: none stays open.
    { call: 'close', args: [file], purpose: 'written' },
  ];
}
