import { existsSync } from 'node:fs';

import { callInto, Memory, type Step } from '@ctr/syscall';

import { members } from './members.js';
import { removeEmptyTree } from './remove.js';

/** What whoever makes a group writes on its directories, to know them again: an extended attribute. */
export interface GroupMark {
  /** `trusted.…` can be set by root of the host alone, `user.…` by whoever owns the directory. @see xattr(7) */
  readonly name: string;
  readonly value: string;
}

/** The longest value that is read. */
const MAX_BYTES = 4096;

/** Marks a directory that has just been made. Where the kernel keeps no such attribute, the group is one that nobody knows again. */
export function markStep(directory: string, { name, value }: GroupMark): Step {
  const bytes = Buffer.from(value);
  return { call: 'setxattr', args: [directory, name, bytes, bytes.byteLength, 0], purpose: 'whose the group is', tolerates: 'any' };
}

/**
 * Removes those of these directories that bear a mark of this name, and in which no process is: what is left of a group that was made with {@link GroupOptions.mark}.
 * What bears none is somebody else's, be it empty or not.
 *
 * @returns the directories that it has removed
 * @example
 * ```ts
 * import { removeMarked } from '@ctr/cgroups';
 * removeMarked(['/sys/fs/cgroup/ctr/no-such-group'], 'trusted.example'); // []
 * ```
 */
export function removeMarked(directories: readonly string[], name: string): string[] {
  return directories.filter((directory) => existsSync(directory) && isMarked(directory, name) && members(directory).length === 0 && removeEmptyTree(directory));
}

function isMarked(directory: string, name: string): boolean {
  const value = new Memory(MAX_BYTES, 'mark');
  return callInto({ call: 'getxattr', args: [directory, name, value, MAX_BYTES], purpose: 'whose the group is', tolerates: 'any' }, value).result >= 0;
}
