import { Socket } from 'node:net';
import { PassThrough, type Readable } from 'node:stream';

import { openPipe, type Fd } from '@ctr/syscall';

import { KeptBytes } from './kept-bytes.js';

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

/**
 * A pipe from the program: its write end goes to the program, its read end is a stream, of which the beginning is kept.
 * The stream is made when it is asked for, or in the next turn of the event loop: the program starts meanwhile.
 */
export class Output {
  readonly writeEnd: Fd;
  readonly #readEnd: Fd;
  readonly #bound: OutputBound;
  readonly #kept = new KeptBytes();
  readonly #opening: NodeJS.Immediate;
  #stream: Socket | undefined;

  constructor(name: string, bound: OutputBound) {
    const { read, write } = openPipe(name);
    this.writeEnd = write;
    this.#readEnd = read;
    this.#bound = bound;
    this.#opening = setImmediate(() => this.stream);
  }

  get stream(): Readable {
    if (this.#stream) return this.#stream;
    if (this.#readEnd.closed) return (this.#stream = new Socket().destroy());
    const socket = new Socket({ fd: this.#readEnd.release(), readable: true, writable: false });
    socket.on('data', (chunk: Buffer) => {
      const taken = this.#bound.take(chunk.length);
      this.#kept.add(taken < chunk.length ? chunk.subarray(0, taken) : chunk);
    });
    return (this.#stream = socket);
  }

  /** Everything that was kept, once the last writer has closed the pipe. */
  async text(): Promise<string> {
    const { stream } = this;
    if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve));
    return Buffer.concat(this.#kept.parts()).toString('utf8');
  }

  /** The stream from its beginning, so far as that was kept: what has come before this call comes again. It ends when the pipe is closed, and if there never was a program. */
  fromStart(): AsyncIterable<Buffer> {
    const copy = new PassThrough();
    const { stream } = this;
    for (const chunk of this.#kept.parts()) copy.write(chunk);
    if (stream.closed) return copy.end();
    stream.once('close', () => copy.end());
    // Without `end: false`, Node compares with process.stdout, which makes it non-blocking for whoever shares it.
    return stream.pipe(copy, { end: false });
  }

  destroy(): void {
    clearImmediate(this.#opening);
    this.#stream?.destroy();
    this.#readEnd.close();
  }
}
