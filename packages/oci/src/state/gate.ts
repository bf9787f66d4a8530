import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';

import { AT_FDCWD, call, type Fd, fileTypes, openFd, openFlags, readable, readFailure, type ReportedFailure } from '@ctr/syscall';

import { OciError } from '../error.js';
import type { StateDirectory } from './directory.js';

/** What a container waits at between `create` and `start`: two fifos, by which it is told to go on, and tells of a failure. */
export interface Gate extends Disposable {
  readonly go: Fd;
  readonly report: Fd;
}

const GO = 'go';
const REPORT = 'report';
const REPORT_BYTES = 8;

/** Makes the two fifos, and opens them so that neither end ever waits for another. */
export function makeGate(directory: StateDirectory): Gate {
  for (const name of [GO, REPORT])
    call({ call: 'mknodat', args: [AT_FDCWD, directory.file(name), fileTypes.S_IFIFO | 0o600, 0], purpose: 'what the container waits at until it is started' });
  const go = openFd(directory.file(GO), { flags: openFlags.O_RDWR });
  const report = openFd(directory.file(REPORT), { flags: openFlags.O_RDWR });
  return {
    go,
    report,
    [Symbol.dispose]() {
      go.close();
      report.close();
    },
  };
}

/** Whether somebody waits at the gate: nobody has it open any more once the program has been executed. */
export function isWaiting(directory: StateDirectory): boolean {
  const fd = openWriter(directory);
  if (fd === undefined) return false;
  closeSync(fd);
  return true;
}

/**
 * Lets the container go on, and resolves when the program has been executed, or to the step that failed.
 * Rejects with an {@link OciError} `not-created` if nobody waits.
 */
export async function openGate(directory: StateDirectory): Promise<ReportedFailure | undefined> {
  using report = openFd(directory.file(REPORT), { flags: openFlags.O_RDONLY | openFlags.O_NONBLOCK });
  const writer = openWriter(directory);
  if (writer === undefined) throw new OciError('not-created', 'cannot start an already running container');
  try {
    writeSync(writer, 'g');
  } finally {
    closeSync(writer);
  }
  await readable(report);
  const bytes = Buffer.alloc(REPORT_BYTES);
  return readFailure(bytes.subarray(0, readSync(report.number, bytes)));
}

function openWriter(directory: StateDirectory): number | undefined {
  try {
    return openSync(directory.file(GO), constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENXIO' || code === 'ENOENT') return undefined;
    throw error;
  }
}
