import { fstatSync, readSync, writeSync } from 'node:fs';

import { call, type Fd, fileTypes, isSyscallError, nodeTimers, openFlags, readable, readFailure, type ReportedFailure } from '@ctr/syscall';

import { OciError } from '../error.js';
import { openBelow } from './below.js';
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
    call({ call: 'mknodat', args: [directory.at, name, fileTypes.S_IFIFO | 0o600, 0], purpose: 'what the container waits at until it is started' });
  const go = openBelow(directory.at, GO, openFlags.O_RDWR);
  const report = openBelow(directory.at, REPORT, openFlags.O_RDWR);
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
  using writer = openWriter(directory);
  return writer !== undefined;
}

/**
 * Lets the container go on, and resolves when the program has been executed, or to the step that failed.
 * Rejects with an {@link OciError} `not-created` if nobody waits.
 */
export async function openGate(directory: StateDirectory): Promise<ReportedFailure | undefined> {
  using report = openBelow(directory.at, REPORT, openFlags.O_RDONLY | openFlags.O_NONBLOCK);
  {
    using writer = openWriter(directory);
    if (!writer) throw new OciError('not-created', 'cannot start an already running container');
    writeSync(writer.number, 'g');
  }
  await readable(report);
  const bytes = Buffer.alloc(REPORT_BYTES);
  const failure = readFailure(bytes.subarray(0, readSync(report.number, bytes)));
  // execve(2) closes both in an order of the kernel's own: until the other one is closed as well, whoever looks sees a container that waits.
  while (!failure && isWaiting(directory)) await nodeTimers.delay(1);
  return failure;
}

function openWriter(directory: StateDirectory): Fd | undefined {
  try {
    const writer = openBelow(directory.at, GO, openFlags.O_WRONLY | openFlags.O_NONBLOCK);
    if (fstatSync(writer.number).isFIFO()) return writer;
    writer.close();
    throw new OciError('broken', `container ${directory.id}: ${GO} is no fifo`);
  } catch (error) {
    if (isSyscallError(error) && (error.code === 'ENXIO' || error.code === 'ENOENT')) return undefined;
    throw error;
  }
}
