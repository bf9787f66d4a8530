import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { JsonError, parseJson } from '@ctr/oci';

import { verdict } from '../../../../tools/verdict.mjs';
import { corpus } from '../corpus.js';

const failure = (text: string | Uint8Array, bounds = {}): string => {
  try {
    parseJson(text, bounds);
  } catch (error) {
    expect(error).toBeInstanceOf(JsonError);
    return (error as Error).message;
  }
  throw new Error('it was read');
};

describe('a JSON text', () => {
  it('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), (text) => {
        const expected: unknown = JSON.parse(text);
        // JSON.parse knows -0, and numbers that are not exact.
        expect(JSON.stringify(parseJson(text), (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))).toBe(JSON.stringify(expected));
      }),
      { numRuns: 200 },
    );
  });

  it('can have white space of all four kinds, and every escape', () => {
    expect(parseJson(' \t\r\n[ "\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00" , true , false , null ] \n')).toEqual(['"\\/\b\f\n\r\té😀', true, false, null]);
  });

  it.each([
    ['0', 0],
    ['-0', 0],
    ['9007199254740991', 9007199254740991],
    ['-9007199254740991', -9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['9007199254740993', 9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    ['18446744073709551615', 18446744073709551615n],
    ['18446744073709551616', 18446744073709551616n],
    ['1e3', 1000],
    ['1.5', 1.5],
    ['1E-2', 0.01],
    ['123456789012345678901234567890', Number('123456789012345678901234567890')],
  ])('has the number %s without loss as far as 64 bits go', (text, value) => {
    expect(parseJson(text)).toBe(value);
    expect(Object.is(parseJson(text), -0)).toBe(false);
  });

  it.each([
    ['', 'line 1, column 1: the text ends here: a value of JSON has to stand here'],
    ['{\n  "a": 1,\n}', 'line 3, column 1: "}": a key in double quotes has to stand here'],
    ['[1,]', 'line 1, column 4: "]": a value of JSON has to stand here'],
    ['[1 2]', 'line 1, column 4: "2": a comma or ] has to follow in the array'],
    ['{"a" 1}', 'line 1, column 6: "1": a colon has to follow the key'],
    ['{"a":1 "b":2}', 'line 1, column 8: "\\"": a comma or } has to follow in the object'],
    ['{} {}', 'line 1, column 4: "{": nothing may follow the value'],
    ['"a\nb"', 'line 1, column 3: "\\n": a control character in a string has to be escaped'],
    ['"a\0b"', 'line 1, column 3: "\\u0000": a control character in a string has to be escaped'],
    ['"a\\x"', 'line 1, column 3: a backslash in a string has to be followed by one of " \\ / b f n r t u'],
    ['"\\u12g4"', 'line 1, column 2: four hexadecimal digits have to follow \\u'],
    ['"abc', 'line 1, column 5: the text ends within a string'],
    ['"\\ud800"', 'line 1, column 1: half of a surrogate pair in a string: it is no character'],
    ['"\ud800"', 'line 1, column 1: half of a surrogate pair in a string: it is no character'],
    ['-', 'line 1, column 1: "-": a number has to have digits'],
    ['01', 'line 1, column 2: "1": nothing may follow the value'],
    ['1e400', 'line 1, column 1: "1e400": a number beyond all bounds'],
    ['NaN', 'line 1, column 1: "N": a value of JSON has to stand here'],
    ['Infinity', 'line 1, column 1: "I": a value of JSON has to stand here'],
    ['\u{1b}[31m', 'line 1, column 1: "\\u001b": a value of JSON has to stand here'],
    ['\u{feff}{}', 'line 1, column 1: a byte order mark: the text has to be UTF-8 without one'],
    ['{"a":1,\n "b":2,\n "a":3}', 'line 3, column 2: the key "a" stands twice in the object'],
    ['{"__proto__":1,"__proto__":2}', 'line 1, column 16: the key "__proto__" stands twice in the object'],
    ["{'a':1}", 'line 1, column 2: "\'": a key in double quotes has to stand here'],
    ['// c\n{}', 'line 1, column 1: "/": a value of JSON has to stand here'],
  ])('that is %j is refused, with line and column', (text, message) => {
    expect(failure(text)).toBe(message);
  });

  it.each([
    ['UTF-16, little end first', Buffer.from('\u{feff}{}', 'utf16le'), 'line 1, column 1: the text is not UTF-8, but UTF-16 or UTF-32 by its first bytes'],
    ['UTF-16 without a mark', Buffer.from('{}', 'utf16le'), 'line 1, column 1: the text is not UTF-8, but UTF-16 or UTF-32 by its first bytes'],
    ['UTF-8 with a mark', Buffer.from('\u{feff}{}'), 'line 1, column 1: a byte order mark: the text has to be UTF-8 without one'],
    ['Latin-1', Buffer.from('{\n"caf\u{e9}": 1}', 'latin1'), 'line 2, column 5: bytes that are not UTF-8'],
    ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'line 1, column 2: bytes that are not UTF-8'],
  ])('in %s is refused', (_, bytes, message) => {
    expect(failure(bytes)).toBe(message);
  });

  it('is read no deeper and no further than the bounds allow', () => {
    expect(failure('['.repeat(100_000))).toBe('line 1, column 65: arrays and objects lie too deep in each other: at most 64 levels are read');
    expect(failure('{"a":'.repeat(100_000))).toContain('column 321: arrays and objects lie too deep');
    expect(parseJson(`${'['.repeat(64)}${']'.repeat(64)}`)).toBeDefined();
    expect(parseJson(`[${'[],'.repeat(100)}[]]`, { maxDepth: 2 })).toHaveLength(101);
    expect(failure(' '.repeat(20 * 1024 * 1024))).toBe('line 1, column 1: the text is too large: at most 16777216 bytes are read');
    expect(failure(Buffer.alloc(17), { maxBytes: 16 })).toContain('at most 16 bytes');
    expect(() => parseJson('1', { maxbytes: 1 } as object)).toThrow('did you mean maxBytes?');
  });

  it('has objects without a prototype, so that no key means anything', () => {
    const value = parseJson('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":1,"hasOwnProperty":2}');
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor', 'toString', 'hasOwnProperty']);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('takes a time that grows with its length, whatever is in it', () => {
    const begin = performance.now();
    failure('9'.repeat(4_000_000));
    failure(`"${'\\u0041'.repeat(500_000)}`);
    parseJson(`[${'"\\n",'.repeat(300_000)}1]`);
    parseJson(`{${Array.from({ length: 200_000 }, (_, index) => `"k${index}":1`).join(',')}}`);
    failure('\n'.repeat(4_000_000));
    expect(performance.now() - begin).toBeLessThan(25_000);
  });
});

describe('a text that is cut off', () => {
  it.each(corpus)('is refused as %s cut off at each byte, or at every 41st of a long one', (name, bytes) => {
    const whole = bytes.toString().trimEnd();
    const step = name === 'every-field' || whole.length < 4000 ? 1 : 41;
    for (let length = 0; length < whole.length; length += step) {
      let error: unknown;
      try {
        parseJson(bytes.subarray(0, length));
      } catch (caught) {
        error = caught;
      }
      if (!(error instanceof JsonError)) throw new Error(`cut off after ${length} bytes: ${String(error)}`);
    }
    expect(parseJson(bytes)).toBeDefined();
  });
});

it('never fails in words that are not its own', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array(), fc.string({ unit: fc.constantFrom(...Array.from('{}[]:,"\\u0019eE+-. \n')) })),
      (text) => {
        expect(verdict(() => parseJson(text))).toBeUndefined();
      },
    ),
    { numRuns: 2000 },
  );
});
