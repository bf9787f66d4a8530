import { ReadStream } from 'node:tty';

import { call, ioctls, winsize, type Fd } from '@ctr/syscall';

import type { TerminalSize } from './spec.js';

/** The host's side of a program's terminal: what is written to it is typed, what is read from it is shown. */
export class Master {
  /** A duplex stream, which ends when the last process has closed the terminal. */
  readonly stream: ReadStream;
  readonly #fd: Fd;

  constructor(fd: Fd) {
    this.#fd = fd;
    this.stream = new ReadStream(fd.number);
    // The kernel says EIO, not end of file, once no process has the other side open.
    this.stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EIO') this.stream.destroy();
    });
    this.stream.once('close', () => this.#fd.release());
  }

  /** Tells the program the size of the window; it gets SIGWINCH. */
  resize({ columns, rows }: TerminalSize): void {
    if (this.#fd.closed) return;
    call({ call: 'ioctl', args: [this.#fd, ioctls.TIOCSWINSZ, winsize({ ws_row: rows, ws_col: columns })], purpose: 'resize the terminal' });
  }

  /** Hangs up: the program's side is closed. */
  close(): void {
    this.stream.destroy();
  }
}
