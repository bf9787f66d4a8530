/** A value of D-Bus: its type, and what it is. An integer that a number cannot hold is text. */
export interface Variant {
  readonly signature: string;
  readonly value: VariantValue;
}
export type VariantValue = string | number | boolean | readonly VariantValue[];

/** What may stand before a value, to say of which type it is. */
const keywords = new Map(
  Object.entries({ boolean: 'b', byte: 'y', int16: 'n', uint16: 'q', int32: 'i', uint32: 'u', int64: 'x', uint64: 't', double: 'd', string: 's' }),
);
/** The range of each type of integer: its bits, and whether it has negative ones. */
const integers: Readonly<Record<string, readonly [bits: bigint, signed: boolean]>> = {
  y: [8n, false],
  n: [16n, true],
  q: [16n, false],
  i: [32n, true],
  u: [32n, false],
  x: [64n, true],
  t: [64n, false],
};
/** More than any number of 64 bits has, and few enough to be read at once. */
const MAX_DIGITS = 40;
const escapes: Readonly<Record<string, string>> = { a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/**
 * Reads a value in the text format of GVariant: strings, booleans, numbers, and arrays of these, each with a type before it or without: `'a'`, `true`, `uint64 5`, `@as []`.
 * A number without a type is an int32, or a double if it has a point.
 *
 * @returns the value, or what is allowed in the place of the text
 * @see https://docs.gtk.org/glib/gvariant-text-format.html
 */
export function parseVariant(text: string): Variant | string {
  try {
    return new Reader(text).all();
  } catch (error) {
    if (error instanceof NotAllowed) return error.message;
    throw error;
  }
}

class NotAllowed extends Error {}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  all(): Variant {
    const variant = this.#value(undefined);
    if (this.#peek() !== '') throw new NotAllowed(`one value, and nothing from ${this.#place()} on`);
    return variant;
  }

  /** @param type what it has to be, if that is known already */
  #value(type: string | undefined): Variant {
    if (this.#peek() === '@') return this.#value(this.#sameType(type, this.#match(/@(a?[bynqiuxtds])(?=[\s['"\d+-]|true|false)/y)?.[1]));
    const word = this.#match(/[a-z]\w*(?!['"\w])/y)?.[0];
    if (word === 'true' || word === 'false') return { signature: this.#sameType(type, 'b'), value: word === 'true' };
    if (word !== undefined) return this.#value(this.#sameType(type, keywords.get(word)));
    const next = this.#peek();
    if (next === "'" || next === '"') return { signature: this.#sameType(type, 's'), value: this.#string(next) };
    return next === '[' ? this.#array(type) : this.#number(type);
  }

  #array(type: string | undefined): Variant {
    this.#at++;
    if (type !== undefined && !type.startsWith('a')) throw new NotAllowed(`no array ${this.#before()}: the type before it is another`);
    let element = type?.slice(1);
    const values: VariantValue[] = [];
    while (this.#peek() !== ']') {
      if (values.length > 0 && !this.#match(/,/y)) throw new NotAllowed(`a comma or ] ${this.#before()}`);
      const { signature, value } = this.#value(element);
      if (signature.startsWith('a')) throw new NotAllowed('no array in an array');
      element = signature;
      values.push(value);
    }
    this.#at++;
    if (element === undefined) throw new NotAllowed('the type before an empty array, as in @as []');
    return { signature: `a${element}`, value: values };
  }

  #number(type: string | undefined): Variant {
    const before = this.#before();
    const digits = this.#match(/[+-]?(0x[\da-f]+|(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?)(?![\w.])/iy)?.[0];
    if (digits === undefined)
      throw new NotAllowed(
        `a string in quotes, true, false, a number, or an array of these ${this.#before()}, such as 'inactive-or-failed', uint64 5000000 or ['a', 'b']`,
      );
    if (digits.length > MAX_DIGITS) throw new NotAllowed(`a number of up to ${MAX_DIGITS} characters ${before}`);
    const isHex = /x/i.test(digits);
    if (type === 'd' || (type === undefined && !isHex && /[.e]/i.test(digits))) {
      const value = Number(digits);
      if (isHex || !Number.isFinite(value)) throw new NotAllowed(`a double that is one, and not ${digits}`);
      return { signature: 'd', value };
    }
    const signature = type ?? 'i';
    const range = integers[signature];
    if (!range || (!isHex && !/^[+-]?(0|[1-9]\d*)$/.test(digits)))
      throw new NotAllowed(range ? `a whole number without zeros before it, and not ${digits}` : `no number ${before}: the type before it is another`);
    const size = BigInt(digits.replace(/^[+-]/, ''));
    const value = digits.startsWith('-') ? -size : size;
    const [bits, isSigned] = range;
    const isWithin = (isSigned ? BigInt.asIntN(Number(bits), value) : BigInt.asUintN(Number(bits), value)) === value;
    if (!isWithin)
      throw new NotAllowed(
        `an integer of ${bits} bits${isSigned ? '' : ' that is not negative'}, and not ${digits}${type ? '' : ' (a larger one has its type before it: uint64 …)'}`,
      );
    return { signature, value: Number.isSafeInteger(Number(value)) ? Number(value) : String(value) };
  }

  #string(quote: string): string {
    const [, body] = this.#match(quote === "'" ? /'((?:[^'\\]|\\.)*)'/sy : /"((?:[^"\\]|\\.)*)"/sy) ?? [];
    if (body === undefined) throw new NotAllowed(`a ${quote} at the end of the string`);
    const text = body.replaceAll(/\\(u[\dA-Fa-f]{4}|U[\dA-Fa-f]{8}|.)/gs, (_, code: string) => {
      if (/^u$/i.test(code)) throw new NotAllowed(`${code === 'u' ? 4 : 8} hexadecimal digits after \\${code}`);
      if (code.length === 1) return escapes[code] ?? code;
      const point = Number.parseInt(code.slice(1), 16);
      if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) throw new NotAllowed(`a character, and not \\${code}`);
      return String.fromCodePoint(point);
    });
    if (text.includes('\0')) throw new NotAllowed('a string without a NUL');
    return text;
  }

  /** What two have to say of a type. */
  #sameType(wanted: string | undefined, given: string | undefined): string {
    if (given === undefined)
      throw new NotAllowed(`a type that is taken ${this.#before()}: ${[...keywords.keys()].join(', ')}, or @ and a letter of D-Bus for one, or an array of it`);
    if (wanted !== undefined && wanted !== given) throw new NotAllowed(`a value of one type ${this.#before()}: it is ${given}, and has to be ${wanted}`);
    return given;
  }

  /** The next character that is no space; empty at the end. */
  #peek(): string {
    this.#match(/\s*/y);
    return this.#text[this.#at] ?? '';
  }

  /** What a sticky pattern matches here, past spaces. */
  #match(pattern: RegExp): RegExpExecArray | undefined {
    const space = /\s*/y;
    space.lastIndex = this.#at;
    space.test(this.#text);
    pattern.lastIndex = space.lastIndex;
    const found = pattern.exec(this.#text);
    if (!found) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }

  #before(): string {
    return `at ${this.#place()}`;
  }

  #place(): string {
    return this.#at >= this.#text.length ? 'its end' : `character ${this.#at + 1}`;
  }
}
