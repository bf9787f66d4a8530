import { Readable } from 'node:stream';

import { nodeTimers, openPipe, type Fd } from '@ctr/syscall';

import { KeptBytes } from './kept-bytes.js';
import { PipeReader } from './pipe-reader.js';

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
  readonly #all: KeptBytes | undefined;
  readonly #opening: NodeJS.Immediate;
  #reader: PipeReader | undefined;
  #stream: Readable | undefined;
  readonly #streams = new Set<Readable>();
  /** Streams whose readers have to take something first. */
  readonly #full = new Set<Readable>();
  readonly #onEnd: (() => void)[] = [];
  #isEnding = false;

  /** @param all keeps what this and another output bring, in the order in which it comes */
  constructor(name: string, bound: OutputBound, all?: KeptBytes) {
    const { read, write } = openPipe(name, { nonBlocking: 'read' });
    this.writeEnd = write;
    this.#readEnd = read;
    this.#bound = bound;
    this.#all = all;
    this.#opening = nodeTimers.setImmediate(() => this.#open());
  }

  /** What comes from now on. It flows unless somebody pauses it. Whoever destroys it closes the pipe, by which the program is told that nobody reads. */
  get stream(): Readable {
    this.#stream ??= this.#newStream(() => this.#open().close()).resume();
    return this.#stream;
  }

  /** Resolves when the last writer has closed the pipe, and all of it has been read. Called when the program has ended: no reader can hold that up. */
  async ended(): Promise<void> {
    const reader = this.#open();
    this.#isEnding = true;
    this.#goOn();
    if (!reader.isOver) await new Promise<void>((resolve) => this.#onEnd.push(resolve));
  }

  /** Everything that was kept so far. */
  bytes(): Buffer {
    return joined(this.#kept);
  }

  /**
   * The bytes from the beginning, so far as that was kept: what has come before this call comes again. They end when the pipe is closed, and if there never was a program.
   * What a loop has not come to stays in the pipe; who leaves the loop lets the rest flow.
   */
  fromStart(): AsyncIterable<Buffer> {
    return this.#newStream(() => undefined, this.#kept.parts());
  }

  /** Gives a stream of others what comes from now on: the pipe is read as quickly as the slowest of all streams. */
  feed(stream: Readable, onEnd: () => void): void {
    if (this.#open().isOver) return onEnd();
    this.#streams.add(stream);
    this.#onEnd.push(onEnd);
  }

  /** The reader of a stream can take more. */
  room(stream: Readable): void {
    if (this.#full.delete(stream)) this.#goOn();
  }

  /** Gives a stream no more. */
  leave(stream: Readable): void {
    this.#streams.delete(stream);
    this.room(stream);
  }

  destroy(): void {
    nodeTimers.clearImmediate(this.#opening);
    if (this.#reader) this.#reader.close();
    else this.#readEnd.close();
  }

  #open(): PipeReader {
    this.#reader ??= new PipeReader(this.#readEnd, {
      data: (chunk) => this.#take(chunk),
      end: () => {
        for (const onEnd of this.#onEnd.splice(0)) onEnd();
      },
    });
    return this.#reader;
  }

  #take(chunk: Buffer): void {
    const taken = this.#bound.take(chunk.length);
    const kept = taken < chunk.length ? chunk.subarray(0, taken) : chunk;
    this.#kept.add(kept);
    this.#all?.add(kept);
    for (const stream of this.#streams) if (!stream.push(chunk)) this.#full.add(stream);
    if (this.#full.size > 0) this.#goOn();
  }

  #newStream(onDestroy: () => void, beginning: readonly Buffer[] = []): Readable {
    const stream: Readable = new Readable({
      read: () => this.room(stream),
      destroy: (error, done) => {
        this.leave(stream);
        onDestroy();
        done(error);
      },
    });
    for (const chunk of beginning) stream.push(chunk);
    this.feed(stream, () => stream.push(null));
    return stream;
  }

  #goOn(): void {
    const waits = [...this.#full].some((stream) => !this.#isEnding || stream.readableLength > MAX_REST_BYTES);
    if (waits) this.#reader?.pause();
    else this.#reader?.resume();
  }
}

/** What several outputs bring, in the order in which it comes, as one stream from its beginning. Nobody has to read it. */
export function merged(outputs: readonly Output[], kept: KeptBytes): Readable {
  let open = outputs.length;
  const all: Readable = new Readable({
    read: () => {
      for (const output of outputs) output.room(all);
    },
    destroy: (error, done) => {
      for (const output of outputs) output.leave(all);
      done(error);
    },
  });
  for (const part of kept.parts()) all.push(part);
  for (const output of outputs)
    output.feed(all, () => {
      if (--open === 0) all.push(null);
    });
  return all.resume();
}
