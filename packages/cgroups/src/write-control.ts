import { closeSync, openSync, write } from 'node:fs';
import { promisify } from 'node:util';

import { errnoName, errnos, SyscallError } from '@ctr/syscall';

import type { Hints } from './hints.js';

const writeAside = promisify(write);

/**
 * Writes a control file off the main thread: a memory limit that is lowered makes the kernel free memory first, which may take its time.
 * To open and close one takes less time than another thread does to begin.
 */
export async function writeControl(path: string, value: string, purpose: string, hints: Hints): Promise<void> {
  try {
    const file = openSync(path, 'r+');
    try {
      await writeAside(file, value);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw failure('write', `write(${path}, ${JSON.stringify(value)}, ${Buffer.byteLength(value)})`, error, purpose, hints);
  }
}

/** An error of node:fs as one of a system call. */
export function failure(call: string, line: string, error: unknown, purpose: string, hints: Hints): SyscallError {
  const errno = Math.abs((error as NodeJS.ErrnoException).errno ?? errnos.EIO);
  const hint = hints[errnoName(errno)];
  return new SyscallError({ call, line, errno, purpose, ...(hint !== undefined && { hint }) });
}
