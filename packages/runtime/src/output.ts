import { Socket } from 'node:net';
import { Readable } from 'node:stream';

import { openPipe, type Fd } from '@ctr/syscall';

import { KeptBytes } from './kept-bytes.js';

/** How many bytes may wait for a loop over the output, until the pipe is not read any more. */
const WAITING_BYTES = 65_536;

/** Keeps the beginning of what several streams bring, up to one bound for all. */
export class OutputBound {
  #left: number;
  readonly #onExceeded: (() => void) | undefined;
  truncated = false;

  /** @param onExceeded called once, with the first byte too many */
  constructor(maxBytes: number, onExceeded?: () => void) {
    this.#left = maxBytes;
    this.#onExceeded = onExceeded;
  }

  /** How many of so many bytes may be kept. */
  take(byteLength: number): number {
    const taken = Math.min(byteLength, this.#left);
    this.#left -= taken;
    if (taken < byteLength && !this.truncated) {
      this.truncated = true;
      this.#onExceeded?.();
    }
    return taken;
  }
}

/** All bytes in one. */
export function joined(kept: KeptBytes): Buffer {
  return Buffer.concat(kept.parts());
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
  readonly #all: KeptBytes | undefined;
  /** Who gets the bytes as they come, whatever encoding the stream has been given. */
  readonly #takers = new Set<(chunk: Buffer) => void>();
  readonly #opening: NodeJS.Immediate;
  #stream: Socket | undefined;

  /** @param all keeps what this and another stream bring, in the order in which it comes */
  constructor(name: string, bound: OutputBound, all?: KeptBytes) {
    const { read, write } = openPipe(name);
    this.writeEnd = write;
    this.#readEnd = read;
    this.#bound = bound;
    this.#all = all;
    this.#opening = setImmediate(() => this.stream);
  }

  get stream(): Readable {
    if (this.#stream) return this.#stream;
    if (this.#readEnd.closed) return (this.#stream = new Socket().destroy());
    const socket = new Socket({ fd: this.#readEnd.release(), readable: true, writable: false });
    const push = socket.push.bind(socket);
    // Not by 'data': with an encoding these are strings, which have lost what is none of its characters.
    socket.push = (chunk, encoding) => {
      if (chunk instanceof Buffer) this.#take(chunk);
      return push(chunk, encoding);
    };
    socket.resume();
    return (this.#stream = socket);
  }

  /** Resolves when the last writer has closed the pipe, and all of it has been read. */
  async closed(): Promise<void> {
    const { stream } = this;
    if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve));
  }

  /** Everything that was kept so far. */
  bytes(): Buffer {
    return joined(this.#kept);
  }

  /** Gives the bytes to somebody else, too, as they come. */
  tell(taker: (chunk: Buffer) => void): void {
    this.#takers.add(taker);
  }

  /**
   * The bytes from the beginning, so far as that was kept: what has come before this call comes again. They end when the pipe is closed, and if there never was a program.
   * What the loop has not come to stays in the pipe; who leaves the loop lets the rest flow.
   */
  async *fromStart(): AsyncGenerator<Buffer> {
    const { stream } = this;
    let waiting = 0;
    let isPaused = false;
    let wake: (() => void) | undefined;
    let chunks: Buffer[] = [...this.#kept.parts()];
    const take = (chunk: Buffer): void => {
      chunks.push(chunk);
      waiting += chunk.length;
      if (waiting >= WAITING_BYTES && !isPaused) {
        isPaused = true;
        stream.pause();
      }
      wake?.();
    };
    const end = (): void => wake?.();
    this.#takers.add(take);
    stream.once('close', end);
    try {
      for (;;) {
        const taken = chunks;
        chunks = [];
        yield* taken;
        waiting = chunks.reduce((sum, { length }) => sum + length, 0);
        if (isPaused && waiting < WAITING_BYTES) {
          isPaused = false;
          stream.resume();
        }
        if (chunks.length > 0) continue;
        if (stream.closed) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      this.#takers.delete(take);
      stream.off('close', end);
      if (isPaused) stream.resume();
    }
  }

  destroy(): void {
    clearImmediate(this.#opening);
    this.#stream?.destroy();
    this.#readEnd.close();
  }

  #take(chunk: Buffer): void {
    const taken = this.#bound.take(chunk.length);
    const kept = taken < chunk.length ? chunk.subarray(0, taken) : chunk;
    this.#kept.add(kept);
    this.#all?.add(kept);
    for (const take of this.#takers) take(chunk);
  }
}

/** What several streams bring, in the order in which it comes, as one stream from its beginning. Nobody has to read it. */
export function merged(outputs: readonly Output[], kept: KeptBytes): Readable {
  const streams = outputs.map(({ stream }) => stream);
  const all = new Readable({ read: () => streams.forEach((stream) => stream.resume()) });
  for (const part of kept.parts()) all.push(part);
  for (const output of outputs)
    output.tell((chunk) => {
      if (!all.push(chunk)) for (const stream of streams) stream.pause();
    });
  void Promise.all(outputs.map((output) => output.closed())).then(() => all.push(null));
  return all.resume();
}
