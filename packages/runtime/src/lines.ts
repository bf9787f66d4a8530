import { constants } from 'node:buffer';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Line length in bytes above which iteration over `run()` ends with an error, unless `maxLineBytes` says otherwise. */
export const DEFAULT_MAX_LINE_BYTES: number = 16 * 2 ** 20;

/** Bytes that fit a JavaScript string, whatever they are: decoding makes no more characters than there are bytes. */
export const LONGEST_TEXT_BYTES: number = constants.MAX_STRING_LENGTH;

/**
 * The program wrote a line of more than `maxLineBytes`. Iteration over `run()` rejects with this error, after the lines before it.
 * The container is killed, unless somebody holds it, as when the loop is left by `break`.
 *
 * @example
 * ```ts
 * import { LineTooLongError, run } from '@ctr/runtime';
 * try {
 *   for await (const line of run(['head', '-c', '100000', '/dev/zero'], { maxLineBytes: 1000, reject: false })) console.log(line);
 * } catch (error) {
 *   if (error instanceof LineTooLongError) console.log(error.maxLineBytes); // 1000
 * }
 * ```
 */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';
  /** The limit, in bytes, without the line feed. */
  readonly maxLineBytes: number;

  constructor(maxLineBytes: number) {
    super(
      `the program wrote a line of more than ${maxLineBytes} bytes\n` +
        'hint: a larger maxLineBytes allows longer lines; `stdout` of the promise has the output in pieces, however long its lines are',
    );
    this.maxLineBytes = maxLineBytes;
  }
}

/** Throws a `RangeError` for a limit that is not from 1 to {@link LONGEST_TEXT_BYTES}. */
export function checkMaxLineBytes(maxLineBytes: number): void {
  if (!Number.isSafeInteger(maxLineBytes) || maxLineBytes < 1 || maxLineBytes > LONGEST_TEXT_BYTES)
    throw new RangeError(`maxLineBytes is ${maxLineBytes}: a number of bytes, from 1 to ${LONGEST_TEXT_BYTES}`);
}

/**
 * Splits bytes into lines. A line feed ends a line, and a carriage return right before it is not part of the line; no other character ends one.
 * Of a line without an end, no more than `maxLineBytes` and one byte are kept.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  /** The beginning of a line that earlier chunks brought: the first `#length` bytes. */
  #rest = Buffer.alloc(0);
  #length = 0;
  /** A line was too long: there are no lines after it. */
  error: LineTooLongError | undefined;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines that end in a chunk; those before a line that is too long, which sets {@link error}. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1 && !this.error; end = chunk.indexOf(LINE_FEED, start)) {
      if (this.#length === 0) this.#add(lines, chunk, start, end);
      else if (this.#keep(chunk, start, end)) {
        this.#add(lines, this.#rest, 0, this.#length);
        this.#length = 0;
      }
      start = end + 1;
    }
    if (start < chunk.length && !this.error) this.#keep(chunk, start, chunk.length);
    return lines;
  }

  /** The bytes after the last line feed, where there are any: the last line of a program that ends without one. */
  end(): string[] {
    if (this.#length > this.#maxLineBytes) this.error = new LineTooLongError(this.#maxLineBytes);
    return this.#length === 0 || this.error ? [] : [this.#rest.toString('utf8', 0, this.#length)];
  }

  /** A line that is whole, without the carriage return at its end. */
  #add(lines: string[], bytes: Buffer, start: number, lineFeed: number): void {
    const end = lineFeed > start && bytes[lineFeed - 1] === CARRIAGE_RETURN ? lineFeed - 1 : lineFeed;
    if (end - start > this.#maxLineBytes) this.error = new LineTooLongError(this.#maxLineBytes);
    else lines.push(bytes.toString('utf8', start, end));
  }

  /** Copies the beginning of a line, since its chunk may be much larger. One byte more than the limit fits: a carriage return before a line feed. */
  #keep(chunk: Buffer, start: number, end: number): boolean {
    const mostBytes = this.#maxLineBytes + 1;
    const length = this.#length + end - start;
    if (length > mostBytes) {
      this.error = new LineTooLongError(this.#maxLineBytes);
      return false;
    }
    if (length > this.#rest.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(mostBytes, Math.max(length, 2 * this.#rest.length)));
      this.#rest.copy(larger, 0, 0, this.#length);
      this.#rest = larger;
    }
    chunk.copy(this.#rest, this.#length, start, end);
    this.#length = length;
    return true;
  }
}
