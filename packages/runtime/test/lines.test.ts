import { constants } from 'node:buffer';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { LineTooLongError, run } from '@ctr/runtime';

import { LineSplitter } from '../src/lines.js';

/** The lines of some chunks, and the limit that one of them was beyond, if one was. */
function split(chunks: readonly (string | Uint8Array)[], maxLineBytes = 100): [lines: string[], beyond?: number] {
  const splitter = new LineSplitter(maxLineBytes);
  const lines: string[] = [];
  for (const chunk of chunks) {
    lines.push(...splitter.push(Buffer.from(chunk as string)));
    if (splitter.error) return [lines, splitter.error.maxLineBytes];
  }
  lines.push(...splitter.end());
  return splitter.error ? [lines, splitter.error.maxLineBytes] : [lines];
}

describe('a line', () => {
  it.each<[what: string, chunks: string[], lines: string[]]>([
    ['ends with a line feed', ['one\n\ntwo\n'], ['one', '', 'two']],
    ['ends with the output', ['one\ntwo'], ['one', 'two']],
    ['ends with a carriage return and a line feed, in one chunk or two', ['one\r\ntwo\r', '\nthree\r', '\n'], ['one', 'two', 'three']],
    ['keeps a carriage return anywhere else', ['o\rne\r\r\n\rtwo\n\r', 'three\r'], ['o\rne\r', '\rtwo', '\rthree\r']],
    ['ends with no other character', ['a\u2028b\u2029c\u0085d\ve\ff\0g\n'], ['a\u2028b\u2029c\u0085d\ve\ff\0g']],
    ['may come in many pieces', ['o', '', 'n', 'e', '\n', 't', 'wo'], ['one', 'two']],
    ['of nothing is none', ['', ''], []],
  ])('%s', (_, chunks, lines) => expect(split(chunks)).toEqual([lines]));

  it('is decoded as a whole, wherever its characters are torn', () => {
    const bytes = Buffer.from('zwölf €\n𝄞\n');
    for (let i = 0; i < bytes.length; i++) expect(split([bytes.subarray(0, i), bytes.subarray(i)])).toEqual([['zwölf €', '𝄞']]);
  });

  it('of as many bytes as there may be is a line; of one more it is an error, after the lines before it', () => {
    for (const end of ['\n', '\r\n'])
      for (const cut of [0, 1, 4, 5, 6]) {
        const text = `one\n12345${end}two\n`;
        expect(split([text.slice(0, 4 + cut), text.slice(4 + cut)], 5)).toEqual([['one', '12345', 'two']]);
        const longer = `one\n123456${end}two\n`;
        expect(split([longer.slice(0, 4 + cut), longer.slice(4 + cut)], 5)).toEqual([['one'], 5]);
      }
    expect([split(['12345'], 5), split(['123456'], 5), split(['1234', '56'], 5), split(['12345\r'], 5), split(['zwölf'], 5)]).toEqual([
      [['12345']],
      [[], 5],
      [[], 5],
      [[], 5],
      [[], 5],
    ]);
  });

  it('is the same however the output is cut into chunks', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '\n', '\r', '\u2028') });
    fc.assert(
      fc.property(fc.array(text), fc.integer({ min: 1, max: 8 }), (chunks, maxLineBytes) => {
        const whole = chunks.join('');
        const parts = whole.split('\n');
        const last = parts.pop() ?? '';
        const lines = [...parts.map((line) => line.replace(/\r$/, '')), ...(last === '' ? [] : [last])];
        const beyond = lines.findIndex((line) => Buffer.byteLength(line) > maxLineBytes);
        const expected = beyond === -1 ? [lines] : [lines.slice(0, beyond), maxLineBytes];
        expect(split(chunks, maxLineBytes)).toEqual(expected);
        expect(split([whole], maxLineBytes)).toEqual(expected);
      }),
    );
  });

  it('has a limit that is a number of bytes, and that a string can have', () => {
    const longest = constants.MAX_STRING_LENGTH;
    for (const maxLineBytes of [0, -1, 1.5, Number.NaN, longest + 1, Infinity])
      expect(() => run(['true'], { maxLineBytes })).toThrow(new RangeError(`maxLineBytes is ${maxLineBytes}: a number of bytes, from 1 to ${longest}`));
    expect(new LineTooLongError(5).message).toMatch(/^the program wrote a line of more than 5 bytes\nhint: a larger maxLineBytes /);
  });
});
