import { readSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { ReadStream } from 'node:tty';

import { call, ioctls, Memory, perform, winsize, type Fd } from '@ctr/syscall';

import type { TerminalSize } from './spec.js';

/** struct termios of asm-generic/termbits.h: its size, the offset of c_lflag, and the bit of it that makes signals of Ctrl-C and its like. */
const TERMIOS_BYTES = 36;
const C_LFLAG = 12;
const ISIG = 1;
const READ_BYTES = 65_536;

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
  /** Ends when the last process has closed the terminal. */
  readonly stream: Duplex;
  readonly #source: ReadStream;
  readonly #number: number;

  constructor(fd: Fd) {
    // The stream closes it from here on, also at the end of a worker thread.
    this.#number = fd.release();
    const source = new ReadStream(this.#number);
    this.#source = source;
    this.stream = new Duplex({
      allowHalfOpen: false,
      read: () => void source.resume(),
      // Nobody is there to take what is typed after the end: that is no error.
      write: (chunk, encoding, done) => void source.write(chunk as Buffer, encoding, () => done()),
      destroy: (error, done) => {
        source.destroy();
        done(error);
      },
    });
    this.stream.on('error', () => undefined);
    source.on('data', (chunk) => {
      if (!this.stream.push(chunk)) source.pause();
    });
    source.once('end', () => {
      this.#readRest();
      this.stream.push(null);
    });
    // The kernel says EIO, not end of file, once no process has the other side open.
    source.on('error', () => this.stream.push(null));
  }

  /** When the other side is closed, Node's event loop takes a read that does not fill its buffer for the last one: no read of a terminal brings more than 4 KiB. */
  #readRest(): void {
    const buffer = Buffer.alloc(READ_BYTES);
    for (;;) {
      let count;
      try {
        count = readSync(this.#number, buffer);
      } catch {
        return;
      }
      if (count === 0) return;
      this.stream.push(Buffer.from(buffer.subarray(0, count)));
    }
  }

  /** Tells the program the size of the window; it gets SIGWINCH. */
  resize({ columns, rows }: TerminalSize): void {
    if (this.#source.destroyed) return;
    call({ call: 'ioctl', args: [this.#number, ioctls.TIOCSWINSZ, winsize({ ws_row: rows, ws_col: columns })], purpose: 'resize the terminal' });
  }

  /** Whether Ctrl-C and its like are signals to the program at this moment, and not input as any other. */
  makesSignals(): boolean {
    if (this.#source.destroyed) return false;
    const termios = new Memory(TERMIOS_BYTES, 'termios');
    const modes = perform([
      { call: 'ioctl', args: [this.#number, ioctls.TCGETS, termios], purpose: 'the modes of the terminal' },
      { call: 'add', args: [termios.i32(C_LFLAG), 0], purpose: 'its local modes' },
    ]);
    return (modes & ISIG) !== 0;
  }

  /** Hangs up: the program's side is closed. */
  close(): void {
    this.stream.destroy();
  }
}
