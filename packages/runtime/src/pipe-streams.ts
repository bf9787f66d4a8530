import { Socket } from 'node:net';

import type { Fd } from '@ctr/syscall';

/** A stream of what comes by a pipe or a socket, which closes that. */
export function readableOf(fd: Fd): Socket {
  return new Socket({ fd: fd.release(), readable: true, writable: false });
}

/** A stream to a pipe or a socket, which closes that. */
export function writableOf(fd: Fd): Socket {
  return new Socket({ fd: fd.release(), readable: false, writable: true });
}

/** A stream to the stdin of a program, which may end, or close it, without having read everything. */
export function inputOf(fd: Fd): Socket {
  return writableOf(fd).on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
