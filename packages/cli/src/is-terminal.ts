import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';

/** linux/major.h: /dev/null and its like */
const MEM_MAJOR = 1;

/** Whether a file is a terminal. node:tty, which takes 2 ms to load, is asked only about what may be one. */
export function isTerminal(fd: number): boolean {
  try {
    const stats = fstatSync(fd);
    return stats.isCharacterDevice() && stats.rdev >> 8 !== MEM_MAJOR && isatty(fd);
  } catch {
    // It is closed.
    return false;
  }
}
