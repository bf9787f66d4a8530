import { ReadStream } from 'node:tty';

import { call, ioctls, Memory, perform, winsize, type Fd } from '@ctr/syscall';

import type { TerminalSize } from './spec.js';

/** struct termios of asm-generic/termbits.h: its size, the offset of c_lflag, and the bit of it that makes signals of Ctrl-C and its like. */
const TERMIOS_BYTES = 36;
const C_LFLAG = 12;
const ISIG = 1;

/**
 * The host's side of a program's terminal: what is written to it is typed, what is read from it is shown.
 *
 * @example
 * ```ts
 * import { start } from '@ctr/runtime';
 * const container = await start(['stty', 'size'], { terminal: { columns: 80, rows: 24 } });
 * container.terminal?.stream.on('data', (shown) => console.log(String(shown))); // 24 80
 * await container.exited;
 * ```
 */
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
    if (this.stream.destroyed) return;
    call({ call: 'ioctl', args: [this.#fd, ioctls.TIOCSWINSZ, winsize({ ws_row: rows, ws_col: columns })], purpose: 'resize the terminal' });
  }

  /** Whether Ctrl-C and its like are signals to the program at this moment, and not input as any other. */
  makesSignals(): boolean {
    if (this.stream.destroyed) return false;
    const termios = new Memory(TERMIOS_BYTES, 'termios');
    const modes = perform([
      { call: 'ioctl', args: [this.#fd, ioctls.TCGETS, termios], purpose: 'the modes of the terminal' },
      { call: 'add', args: [termios.i32(C_LFLAG), 0], purpose: 'its local modes' },
    ]);
    return (modes & ISIG) !== 0;
  }

  /** Hangs up: the program's side is closed. */
  close(): void {
    this.stream.destroy();
  }
}
