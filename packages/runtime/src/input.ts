import { Writable } from 'node:stream';

import { nodeTimers, openPipe, type Fd } from '@ctr/syscall';

import { inputOf } from './pipe-streams.js';

/**
 * A pipe to the program. Its stream is made when it is asked for; if nobody asks in the turn in which the pipe is made, the program finds stdin at its end:
 * a program that reads from it must not wait for ever for something that nobody will write.
 */
export class Input {
  readonly readEnd: Fd;
  readonly #writeEnd: Fd;
  #stream: Writable | undefined;

  constructor(content: string | Uint8Array | undefined) {
    const { read, write } = openPipe('stdin');
    this.readEnd = read;
    this.#writeEnd = write;
    if (content !== undefined) nodeTimers.setImmediate(() => this.stream.end(content));
    else void Promise.resolve().then(() => this.#stream ?? this.#writeEnd.close());
  }

  get stream(): Writable {
    if (!this.#stream) {
      if (this.#writeEnd.closed) return (this.#stream = tooLate());
      this.#stream = inputOf(this.#writeEnd);
    }
    return this.#stream;
  }

  destroy(): void {
    this.#stream?.destroy();
    this.#writeEnd.close();
  }
}

/** A stream that fails with the first byte that is written to it. To end it without any is no mistake. */
function tooLate(): Writable {
  return new Writable({
    write: (_chunk, _encoding, done) =>
      done(
        new Error(
          'what is written to stdin is lost: it is at its end already, since nobody took `stdin` in the turn in which run() was called\nhint: take it at once, or give `input`',
        ),
      ),
  });
}
