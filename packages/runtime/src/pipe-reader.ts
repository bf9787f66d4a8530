import { readSync } from 'node:fs';
import type { Socket } from 'node:net';

import { watchReadable, type Fd, type Watch } from '@ctr/syscall';

import { readableOf } from './pipe-streams.js';

/** As much as a pipe holds, unless somebody has enlarged it. */
const READ_BYTES = 65_536;
const buffer = Buffer.allocUnsafeSlow(READ_BYTES);

/** Whoever gets what is read. */
export interface Reading {
  readonly data: (chunk: Buffer) => void;
  /** Nothing comes any more. */
  readonly end: () => void;
}

/**
 * Reads a pipe to its end. Most programs write little, and to make a stream of Node's takes longer than to read that: so the pipe is read by itself,
 * and becomes a stream with the first read that brings more than there is room for.
 */
export class PipeReader {
  readonly #fd: Fd;
  readonly #reading: Reading;
  #watch: Watch | undefined;
  #socket: Socket | undefined;
  #isOver = false;
  #isPaused = false;

  /** @param fd the read end, which is nobody else's, of O_NONBLOCK; it is closed here */
  constructor(fd: Fd, reading: Reading) {
    this.#fd = fd;
    this.#reading = reading;
    // There never was a program.
    this.#isOver = fd.closed;
    this.resume();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  pause(): void {
    this.#isPaused = true;
    this.#watch?.close();
    this.#watch = undefined;
    this.#socket?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#isOver || this.#watch) return;
    if (!this.#socket) this.#watch = watchReadable(this.#fd, () => this.#read());
    if (!this.#watch) this.#stream().resume();
  }

  /** Closes the pipe, if it is open still. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.pause();
    if (this.#socket) this.#socket.destroy();
    else this.#fd.close();
    this.#reading.end();
  }

  #read(): void {
    let count;
    try {
      count = readSync(this.#fd.number, buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return;
      throw error;
    }
    if (count === 0) return this.close();
    this.#reading.data(Buffer.from(buffer.subarray(0, count)));
    if (count < READ_BYTES || this.#isOver) return;
    this.#watch?.close();
    this.#watch = undefined;
    const stream = this.#stream();
    if (this.#isPaused) stream.pause();
  }

  #stream(): Socket {
    if (this.#socket) return this.#socket;
    const socket = readableOf(this.#fd);
    socket.on('data', this.#reading.data);
    socket.once('close', () => this.close());
    return (this.#socket = socket);
  }
}
