import { isSyscallError, SyscallError } from '@ctr/syscall';

import { limitHints } from './hints.js';
import { writeControl } from './write-control.js';

/** A write that has been made, and what takes it back. */
export interface Done {
  readonly path: string;
  readonly value: string;
  readonly before: string;
  /** What comes to the same where that is refused with ENOSPC: a list with processes in it cannot be made empty again. */
  readonly otherwise?: string;
}

/**
 * Takes writes back after another one has failed, in reverse: where a file must not exceed another, each state on the way back is one that was there on the way.
 *
 * @returns the error to throw, which tells what is as it was, and what is not
 */
export async function takeBack(done: readonly Done[], cause: unknown): Promise<unknown> {
  const back: string[] = [];
  const stay: string[] = [];
  for (const { path, value, before, otherwise } of done.toReversed()) {
    try {
      back.push(`${path} = ${await restore(path, before, otherwise)}`);
    } catch (error) {
      stay.push(`${path} stays at ${value} (${isSyscallError(error) ? error.code : String(error)})`);
    }
  }
  if (!isSyscallError(cause) || done.length === 0) return cause;
  const told = [
    ...(cause.hint === undefined ? [] : [cause.hint]),
    ...(back.length > 0 ? [`taken back: ${back.join(', ')}`] : []),
    ...(stay.length > 0 ? [`could not be taken back: ${stay.join(', ')}`] : []),
  ];
  const { call, line, errno, purpose = 'change a limit' } = cause;
  return new SyscallError({ call, line, errno, purpose, hint: told.join('; ') });
}

async function restore(path: string, before: string, otherwise: string | undefined): Promise<string> {
  const purpose = 'take the change of a limit back';
  try {
    await writeControl(path, before, purpose, limitHints);
    return before.trim();
  } catch (error) {
    if (otherwise === undefined || !isSyscallError(error) || error.code !== 'ENOSPC') throw error;
    await writeControl(path, otherwise, purpose, limitHints);
    return otherwise;
  }
}
