import { closeSync, constants, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { AT_FDCWD, atFlags, call, openFlags } from '@ctr/syscall';

const MODE = 0o644;
/** asm-generic/fcntl.h */
const O_TMPFILE = 0o20000000 | openFlags.O_DIRECTORY;

/** Writes a pid to a file: whoever waits for it finds all of it, and nothing else is left if this process is killed. The path is the caller's own. */
export function writePidFile(path: string, pid: number): void {
  const fd = openNameless(dirname(path));
  if (fd === undefined) return replace(path, String(pid));
  try {
    writeSync(fd, String(pid));
    while (!isNamed(fd, path)) rmSync(path, { force: true });
  } finally {
    closeSync(fd);
  }
}

/** A file that goes away unless it gets a name. Not all file systems have that. @see open(2): O_TMPFILE */
function openNameless(directory: string): number | undefined {
  try {
    return openSync(directory, O_TMPFILE | constants.O_WRONLY, MODE);
  } catch (error) {
    if (['EOPNOTSUPP', 'EISDIR', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Gives it a name, unless another has that. */
function isNamed(fd: number, path: string): boolean {
  const args = [AT_FDCWD, `/proc/self/fd/${fd}`, AT_FDCWD, path, atFlags.AT_SYMLINK_FOLLOW] as const;
  return call({ call: 'linkat', args, purpose: 'the file of the pid', tolerates: ['EEXIST'] }) === 0;
}

function replace(path: string, text: string): void {
  const unfinished = join(dirname(path), `.${basename(path)}`);
  writeFileSync(unfinished, text, { mode: MODE });
  renameSync(unfinished, path);
}
