import { closeFile, holdFile, letGoOfFile } from './thread-end.js';

/**
 * An open file of this process: owned, disposable, named for messages.
 * {@link openFd} makes one; wrapping a number hands its ownership over.
 *
 * @example
 * ```ts
 * import { openFd } from '@ctr/syscall';
 * const root = openFd('/', { directory: true });
 * console.log(String(root)); // for instance: 18</>
 * root.close();
 * ```
 */
export class Fd implements Disposable {
  /** The path it was opened by, or what it is: for messages only. */
  readonly path: string | undefined;
  #number: number;

  constructor(number: number, path?: string) {
    if (!Number.isInteger(number) || number < 0) throw new RangeError(`${number} is not the number of an open file`);
    this.#number = number;
    this.path = path;
  }

  /** The number, for calls of other libraries. Throws a `TypeError` once it is closed. */
  get number(): number {
    if (this.#number < 0) throw new TypeError(`the file ${this.path ?? ''} is closed already`);
    return this.#number;
  }

  get closed(): boolean {
    return this.#number < 0;
  }

  /** Closes the file; a second time does nothing. */
  close(): void {
    if (this.#number < 0) return;
    closeFile(this.#number);
    this.#number = -1;
  }

  /** Gives the number away: the caller closes it. */
  release(): number {
    const number = this.number;
    letGoOfFile(number);
    this.#number = -1;
    return number;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  toString(): string {
    return this.path === undefined ? `${this.#number}` : `${this.#number}<${this.path}>`;
  }
}

/** A file that this thread has opened: it is closed at the end of the thread at the latest. */
export function ownedFd(number: number, path?: string): Fd {
  const fd = new Fd(number, path);
  holdFile(number);
  return fd;
}
