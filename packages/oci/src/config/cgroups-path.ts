import { path } from '../schema/texts.js';
import type { TextRule } from '../schema/schema.js';

/** Where the container's control group is: a path that stays below the caller's, or systemd's three parts. An empty one is none. */
export const cgroupsPath: TextRule = (text) => {
  if (text === '') return undefined;
  // A group of the container could otherwise pass for a file of the kernel's, or for a line of its own in /proc/PID/cgroup.
  if (/\p{Cc}/u.test(text)) return 'a path without control characters';
  const names = text.split('/');
  if (names.includes('..')) return 'a path without ..';
  if (names.every((name) => name === '' || name === '.')) return 'a path of a group of its own, and not of the root of all';
  return names.some((name) => name.startsWith('cgroup.')) ? 'a path without names that begin with cgroup., as the files of the kernel do' : path(text);
};
