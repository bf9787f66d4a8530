import { readlinkSync } from 'node:fs';

import { UsageError, type Args } from './args.js';

/** stdin, stdout and stderr come before them. */
const FIRST = 3;

/**
 * How many files of the caller the program is to have besides those of systemd, which come first.
 * Throws a {@link UsageError} where there are less.
 */
export function preservedFiles(args: Args, listenFds = 0): number {
  const count = args.integer('preserve-fds') ?? 0;
  if (count < 0) throw new UsageError(`--preserve-fds ${count}: give a number of files`);
  for (let number = FIRST; number < FIRST + listenFds + count; number++)
    if (!isOpen(number)) throw new UsageError(`file ${number} is not open: as many files have to be open as are to be preserved`);
  return count;
}

/** Before this program begins, Node opens files of its own in the place of those that are missing: the first of them is what it waits with for events, which nobody passes on. */
function isOpen(number: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${number}`) !== 'anon_inode:[eventpoll]';
  } catch {
    return false;
  }
}
