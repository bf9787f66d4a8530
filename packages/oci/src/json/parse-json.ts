import { checkOptions, quote } from '@ctr/syscall';

import { JsonError } from './json-error.js';

/** A value of JSON. An integer is a `bigint` where a `number` would lose digits. */
export type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | JsonObject;

/** An object of JSON. It has no prototype: `__proto__` and `constructor` are keys like any other. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** What is larger than any configuration. */
export const MAX_TEXT_BYTES = 16 * 2 ** 20;

/** How much is accepted. */
export interface JsonBounds {
  /** The size of the text. @default 16 MiB */
  readonly maxBytes?: number;
  /** How deep arrays and objects may lie in each other. @default 64 */
  readonly maxDepth?: number;
}

/**
 * Reads JSON as RFC 8259 has it, and loses nothing: an integer of up to 20 digits that a `number` cannot hold becomes a `bigint`, so that all of 64 bits, with or without sign, are exact.
 *
 * What two readers could understand differently is refused: a key that stands twice in an object, a lone surrogate, bytes that are not UTF-8, a byte order mark, a number beyond all bounds.
 * Throws a {@link JsonError} with line and column.
 *
 * @example The largest number of 64 bits
 * ```ts
 * import { parseJson } from '@ctr/oci';
 * console.log(parseJson('[18446744073709551615, 1024]')); // [ 18446744073709551615n, 1024 ]
 * ```
 */
export function parseJson(text: string | Uint8Array, bounds: JsonBounds = {}): JsonValue {
  checkOptions('parseJson', bounds, ['maxBytes', 'maxDepth']);
  const { maxBytes = MAX_TEXT_BYTES, maxDepth = 64 } = bounds;
  // A string has at least as many bytes as characters.
  if (text.length > maxBytes) throw new JsonError('', 0, `the text is too large: at most ${maxBytes} bytes are read`);
  return new Scanner(typeof text === 'string' ? text : decode(text), maxDepth).whole();
}

function decode(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || first === 0 || second === 0)
    throw new JsonError('', 0, 'the text is not UTF-8, but UTF-16 or UTF-32 by its first bytes');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    throw new JsonError(text, text.indexOf('\u{fffd}'), 'bytes that are not UTF-8');
  }
}

const number = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** What a number of 64 bits can have: 2^64 has 20 digits. */
const EXACT_DIGITS = 20;
const escapes: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const loneSurrogate = /\p{Surrogate}/u;
/** What makes a string more than the characters up to the next quote: a backslash, a control character, a surrogate. */
const unusual = /[^ -[\]-\ud7ff\ue000-\uffff]/;

class Scanner {
  readonly #text: string;
  readonly #maxDepth: number;
  #at = 0;
  #depth = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  whole(): JsonValue {
    if (this.#text.startsWith('\u{feff}')) throw this.#error('a byte order mark: the text has to be UTF-8 without one');
    const value = this.#value();
    if (this.#next() !== '') throw this.#error(`${this.#found()}: nothing may follow the value`);
    return value;
  }

  #value(): JsonValue {
    const char = this.#next();
    if (char === '"') return this.#string();
    if (char === '{') return this.#object();
    if (char === '[') return this.#array();
    if (char === '-' || (char >= '0' && char <= '9')) return this.#number();
    if (this.#word('true')) return true;
    if (this.#word('false')) return false;
    if (this.#word('null')) return null;
    throw this.#error(`${this.#found()}: a value of JSON has to stand here`);
  }

  #object(): JsonObject {
    const object = Object.create(null) as Record<string, JsonValue>;
    this.#open();
    if (this.#next() === '}') return this.#close(object);
    for (;;) {
      if (this.#next() !== '"') throw this.#error(`${this.#found()}: a key in double quotes has to stand here`);
      const start = this.#at;
      const key = this.#string();
      // Which of two counts differs from reader to reader: Go even merges them.
      if (key in object) throw this.#error(`the key ${quote(key)} stands twice in the object`, start);
      if (this.#next() !== ':') throw this.#error(`${this.#found()}: a colon has to follow the key`);
      this.#at++;
      object[key] = this.#value();
      const char = this.#next();
      if (char === '}') return this.#close(object);
      if (char !== ',') throw this.#error(`${this.#found()}: a comma or } has to follow in the object`);
      this.#at++;
    }
  }

  #array(): JsonValue[] {
    const array: JsonValue[] = [];
    this.#open();
    if (this.#next() === ']') return this.#close(array);
    for (;;) {
      array.push(this.#value());
      const char = this.#next();
      if (char === ']') return this.#close(array);
      if (char !== ',') throw this.#error(`${this.#found()}: a comma or ] has to follow in the array`);
      this.#at++;
    }
  }

  #open(): void {
    if (++this.#depth > this.#maxDepth) throw this.#error(`arrays and objects lie too deep in each other: at most ${this.#maxDepth} levels are read`);
    this.#at++;
  }

  #close<T>(value: T): T {
    this.#depth--;
    this.#at++;
    return value;
  }

  #number(): number | bigint {
    number.lastIndex = this.#at;
    const [written, fraction] = number.exec(this.#text) ?? [];
    if (written === undefined) throw this.#error(`${this.#found()}: a number has to have digits`);
    const value = Number(written);
    if (!Number.isFinite(value)) throw this.#error(`${quote(written)}: a number beyond all bounds`);
    this.#at += written.length;
    // Only what is written as an integer is meant to be exact; -0 is 0.
    if (fraction === undefined && !Number.isSafeInteger(value) && written.length <= EXACT_DIGITS && /^-?[0-9]+$/.test(written)) return BigInt(written);
    return value + 0;
  }

  #string(): string {
    const end = this.#text.indexOf('"', this.#at + 1);
    const value = end === -1 ? undefined : this.#text.slice(this.#at + 1, end);
    if (value === undefined || unusual.test(value)) return this.#unusualString();
    this.#at = end + 1;
    return value;
  }

  #unusualString(): string {
    const start = this.#at++;
    let value = '';
    let from = this.#at;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x22) break;
      if (code === 0x5c) {
        value += this.#text.slice(from, this.#at) + this.#escape();
        from = this.#at;
      } else if (code >= 0x20) this.#at++;
      else if (this.#at >= this.#text.length) throw this.#error('the text ends within a string');
      else throw this.#error(`${this.#found()}: a control character in a string has to be escaped`);
    }
    value += this.#text.slice(from, this.#at++);
    if (loneSurrogate.test(value)) throw this.#error('half of a surrogate pair in a string: it is no character', start);
    return value;
  }

  #escape(): string {
    const char = this.#text[this.#at + 1];
    if (char === 'u') {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#error('four hexadecimal digits have to follow \\u');
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const meant = char === undefined ? undefined : escapes[char];
    if (meant === undefined) throw this.#error('a backslash in a string has to be followed by one of " \\ / b f n r t u');
    this.#at += 2;
    return meant;
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  /** Passes over white space: the character that follows, or nothing at the end. */
  #next(): string {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return this.#text.charAt(this.#at);
      this.#at++;
    }
  }

  #found(): string {
    return this.#at >= this.#text.length ? 'the text ends here' : quote(String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0));
  }

  #error(problem: string, at = this.#at): JsonError {
    return new JsonError(this.#text, Math.min(at, this.#text.length), problem);
  }
}
