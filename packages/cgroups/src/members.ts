import { readFileSync } from 'node:fs';

import type { Fd } from '@ctr/syscall';

import { walkGroups } from './subgroups.js';

/** The processes in a group and the groups below it. */
export function members(directory: string): number[] {
  return listed(directory, ['cgroup.procs']);
}

/** The threads in a group and the groups below it. */
export function threads(directory: string): number[] {
  // v1 has the one, v2 the other.
  return listed(directory, ['cgroup.threads', 'tasks']);
}

function listed(directory: string, files: readonly string[]): number[] {
  const ids: number[] = [];
  walkGroups(directory, { visit: (group) => void ids.push(...files.flatMap((file) => idsIn(group, file))) });
  return ids;
}

function idsIn(group: Fd, file: string): number[] {
  try {
    return readFileSync(`/proc/self/fd/${group.number}/${file}`, 'latin1').split('\n').filter(Boolean).map(Number);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ENOTSUP, as Node calls EOPNOTSUPP: a threaded group, whose processes are listed above it.
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'ENOTSUP') return [];
    throw error;
  }
}
