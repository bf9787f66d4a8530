import { Socket } from 'node:net';
import { PassThrough, type Readable } from 'node:stream';

import { openPipe, type Fd } from '@ctr/syscall';

/** Keeps the beginning of what several streams bring, up to one bound for all. */
export class OutputBound {
  #left: number;
  truncated = false;

  constructor(maxBytes: number) {
    this.#left = maxBytes;
  }

  /** How many of so many bytes may be kept. */
  take(byteLength: number): number {
    const taken = Math.min(byteLength, this.#left);
    this.#left -= taken;
    if (taken < byteLength) this.truncated = true;
    return taken;
  }
}

/** A pipe from the program: its write end goes to the program, its read end is a stream, of which the beginning is kept. */
export class Output {
  readonly writeEnd: Fd;
  readonly stream: Readable;
  /** Everything that was kept, once the last writer has closed the pipe. */
  readonly text: Promise<string>;
  readonly #kept: Buffer[] = [];

  constructor(name: string, bound: OutputBound) {
    const { read, write } = openPipe(name);
    this.writeEnd = write;
    const socket = new Socket({ fd: read.release(), readable: true, writable: false });
    this.stream = socket;
    socket.on('data', (chunk: Buffer) => {
      const taken = bound.take(chunk.length);
      if (taken > 0) this.#kept.push(taken < chunk.length ? chunk.subarray(0, taken) : chunk);
    });
    this.text = new Promise((resolve) => {
      socket.once('close', () => resolve(Buffer.concat(this.#kept).toString('utf8')));
    });
  }

  /** The stream from its beginning, so far as that was kept: what has come before this call comes again. It ends when the pipe is closed, and if there never was a program. */
  fromStart(): Readable {
    const copy = new PassThrough();
    for (const chunk of this.#kept) copy.write(chunk);
    if (this.stream.closed) return copy.end();
    this.stream.once('close', () => copy.end());
    return this.stream.pipe(copy);
  }
}
