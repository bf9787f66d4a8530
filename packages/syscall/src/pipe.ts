import { fcntlCommands, openFlags } from './abi/constants.js';
import { syscallNumber } from './abi/numbers.js';
import { SyscallError } from './error.js';
import { ownedFd, type Fd } from './fd.js';
import { allocate, syscall } from './ffi.js';
import { hintFor } from './hints.js';
import { errnoName } from './abi/errno.js';

const PIPE2 = syscallNumber('pipe2');
const FCNTL = syscallNumber('fcntl');
const ends = allocate(16);

/** The two ends of a pipe. */
export interface Pipe {
  readonly read: Fd;
  readonly write: Fd;
}

/** How a pipe is opened. */
export interface PipeOptions {
  /** The end at which nothing waits: a read of an empty pipe fails with EAGAIN. @default none */
  readonly nonBlocking?: 'read';
}

/**
 * A pipe whose ends are close-on-exec; the caller closes both.
 * Throws a {@link SyscallError} (EMFILE, ENFILE).
 *
 * @see pipe(2)
 * @example
 * ```ts
 * import { openPipe } from '@ctr/syscall';
 * const { read, write } = openPipe('output');
 * read.close();
 * write.close();
 * ```
 */
export function openPipe(name: string, options: PipeOptions = {}): Pipe {
  const error = syscall(PIPE2, ends.address, openFlags.O_CLOEXEC);
  if (error < 0) {
    const hint = hintFor('pipe2', errnoName(-error));
    throw new SyscallError({ call: 'pipe2', line: 'pipe2(&ends, O_CLOEXEC)', errno: -error, purpose: name, ...(hint !== undefined && { hint }) });
  }
  if (options.nonBlocking === 'read') syscall(FCNTL, ends.bytes.readInt32LE(0), fcntlCommands.F_SETFL, openFlags.O_NONBLOCK);
  return { read: ownedFd(ends.bytes.readInt32LE(0), `${name}, read end`), write: ownedFd(ends.bytes.readInt32LE(4), `${name}, write end`) };
}
