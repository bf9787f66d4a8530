import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { isatty } from 'node:tty';

import { Fd, type LaunchStdio } from '@ctr/syscall';

import { readableOf, writableOf } from '../pipe-streams.js';
import { streamsOf } from '../streams.js';
import { Relays } from './relays.js';

/**
 * stdin and stdout of this process as streams. `process.stdin` and `process.stdout` make pipes and sockets non-blocking for whoever shares them, who would lose output by EAGAIN:
 * here, a relay is between what is no terminal and this process. Of a terminal Node opens a file of its own.
 */
export class CallerStreams {
  readonly stdin: Readable;
  /** Breaks with an `error` once its reader has gone. */
  readonly stdout: Writable;
  readonly #relays: Relays;
  readonly #started: Promise<void>;

  /** Throws a `TypeError` for what can be no standard stream. */
  constructor() {
    // A directory has nothing to read.
    const relayed = (fd: number): LaunchStdio => (isatty(fd) || fstatSync(fd).isDirectory() ? 'ignore' : 'inherit');
    this.#relays = new Relays(streamsOf([relayed(0), relayed(1), 'ignore']));
    const [input, output] = this.#relays.given;
    this.stdin = isatty(0) ? process.stdin : input instanceof Fd ? readableOf(input) : Readable.from([]);
    this.stdout = isatty(1) ? process.stdout : output instanceof Fd ? writableOf(output) : nowhere();
    this.stdin.on('error', () => undefined);
    this.#started = this.#relays.start().then(() => this.#relays.handedOver());
    // Who waits for the output is told.
    this.#started.catch(() => this.drop());
  }

  /** Resolves when the reader can take more, or has gone. */
  async room(): Promise<void> {
    const { stdout } = this;
    if (stdout.writableNeedDrain && !stdout.destroyed) await Promise.race([once(stdout, 'drain'), once(stdout, 'close')]).catch(() => undefined);
  }

  /** Drops what the reader has not taken. */
  drop(): void {
    this.#relays.stop();
    if (!isatty(1)) this.stdout.destroy();
  }

  /**
   * Ends both streams, and waits until the reader has everything. Rejects with an `Error` if a file of the caller has failed.
   *
   * @returns whether everything was delivered, or nobody was there to read it; not if it was dropped
   */
  async end(): Promise<boolean> {
    if (isatty(0)) this.stdin.pause();
    else this.stdin.destroy();
    if (!isatty(1)) this.stdout.end();
    try {
      await this.#started;
      return await this.#relays.delivered({ wasKilled: false });
    } finally {
      await this.#relays.abandon();
    }
  }
}

/** The null device. */
function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
