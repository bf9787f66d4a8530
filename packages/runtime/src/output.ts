import { Socket } from 'node:net';
import { Readable } from 'node:stream';

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
 * What a stream may hold at the end of the program beyond what its reader takes: no less than a pipe of the largest size that anybody may make (fs.pipe-max-size).
 * More can only come from a process that has outlived the program.
 */
const MAX_REST_BYTES = 2 ** 21;

/**
 * A pipe from the program: its write end goes to the program, its read end is read here, and the beginning of that is kept.
 * Reading begins in the next turn of the event loop, or when a stream of it is asked for: the program starts meanwhile.
 *
 * A stream whose reader pauses holds up the program, as a pipe does, but not the end: what the program has left in the pipe is read then, and waits in the stream.
 */
export class Output {
  readonly writeEnd: Fd;
  readonly #readEnd: Fd;
  readonly #bound: OutputBound;
  readonly #kept = new KeptBytes();
  readonly #opening: NodeJS.Immediate;
  #source: Socket | undefined;
  #stream: Readable | undefined;
  readonly #streams = new Set<Readable>();
  /** Streams whose readers have to take something first. */
  readonly #full = new Set<Readable>();
  #isEnding = false;

  constructor(name: string, bound: OutputBound) {
    const { read, write } = openPipe(name);
    this.writeEnd = write;
    this.#readEnd = read;
    this.#bound = bound;
    this.#opening = setImmediate(() => this.#open());
  }

  /** What comes from now on. It flows unless somebody pauses it. */
  get stream(): Readable {
    this.#stream ??= this.#newStream().on('data', () => undefined);
    return this.#stream;
  }

  /** Everything that was kept, once the last writer has closed the pipe. Called when the program has ended: no reader can hold that up. */
  async text(): Promise<string> {
    const source = this.#open();
    this.#isEnding = true;
    source.resume();
    if (!source.closed) await new Promise((resolve) => source.once('close', resolve));
    return Buffer.concat(this.#kept.parts()).toString('utf8');
  }

  /** The stream from its beginning, so far as that was kept: what has come before this call comes again. It ends when the pipe is closed, and if there never was a program. */
  fromStart(): AsyncIterable<Buffer> {
    return this.#newStream(this.#kept.parts());
  }

  destroy(): void {
    clearImmediate(this.#opening);
    this.#source?.destroy();
    this.#readEnd.close();
  }

  #open(): Socket {
    if (this.#source) return this.#source;
    if (this.#readEnd.closed) return (this.#source = new Socket().destroy());
    const source = new Socket({ fd: this.#readEnd.release(), readable: true, writable: false });
    source.on('data', (chunk: Buffer) => {
      const taken = this.#bound.take(chunk.length);
      this.#kept.add(taken < chunk.length ? chunk.subarray(0, taken) : chunk);
      for (const stream of this.#streams) if (!stream.push(chunk)) this.#full.add(stream);
      if (this.#full.size > 0) this.#goOn();
    });
    source.once('close', () => {
      for (const stream of this.#streams) stream.push(null);
    });
    return (this.#source = source);
  }

  /** A stream beside others: the pipe is read as quickly as the slowest of them. Whoever destroys one closes the pipe, by which the program is told that nobody reads. */
  #newStream(beginning: readonly Buffer[] = []): Readable {
    const source = this.#open();
    const stream: Readable = new Readable({
      read: () => {
        if (this.#full.delete(stream)) this.#goOn();
      },
      destroy: (error, done) => {
        this.#streams.delete(stream);
        this.#full.delete(stream);
        source.destroy();
        done(error);
      },
    });
    for (const chunk of beginning) stream.push(chunk);
    if (source.closed) stream.push(null);
    else this.#streams.add(stream);
    return stream;
  }

  #goOn(): void {
    const waits = [...this.#full].some((stream) => !this.#isEnding || stream.readableLength > MAX_REST_BYTES);
    if (waits) this.#source?.pause();
    else this.#source?.resume();
  }
}
