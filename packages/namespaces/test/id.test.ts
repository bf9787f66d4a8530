import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseId } from '@ctr/namespaces';

function outcome(text: string): number | string {
  try {
    return parseId(text);
  } catch (error) {
    return (error as Error).name;
  }
}

// What CVE-2026-30892 and its like were made of.
const punctuated = ['1:0', ':1', '1:', '01', '00', '+1', '-1', '-0', '1e0', '1.0', '1.', '0x1', '0b1', '0o1', '1_000', '1,2'];
const spaced = ['', ' ', ' 1', '1 ', '1\n', '\n1', '1\0', '\t1'];
const large = ['4294967295', '4294967296', '9999999999', '18446744073709551616', '1'.repeat(1000)];
const others = ['root', 'NaN', 'Infinity', '１', '١', 'null', '1n'];

describe('parseId', () => {
  it('takes decimal ids', () => {
    for (const id of [0, 1, 9, 10, 1000, 65534, 2 ** 31, 4_294_967_294]) expect(parseId(String(id))).toBe(id);
  });

  for (const text of [...punctuated, ...spaced, ...large, ...others]) {
    it(`refuses ${JSON.stringify(text.slice(0, 24))}`, () => {
      expect(() => parseId(text)).toThrow(RangeError);
    });
  }

  it('quotes what it refuses on one line, cut, and harmless to a terminal', () => {
    expect(() => parseId('1\u001b[2J\u009b\u202e\n')).toThrow(
      '"1\\u001b[2J\\u009b\\u202e\\n" is not an id: an id is a decimal number from 0 to 4294967294, without sign, space or leading zero',
    );
    expect(() => parseId('x'.repeat(10_000))).toThrow(/^.{80,250}$/);
  });

  it('refuses what is not a text', () => {
    for (const value of [1, null, undefined, ['1'], { toString: () => '1' }]) expect(() => parseId(value as string)).toThrow(RangeError);
  });

  it('gives back the number for its own decimal form, and for no other text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(0xffffffff).map(String), fc.string({ maxLength: 12 }), fc.stringMatching(/^[ +-]?0{0,2}[0-9]{0,11}[:.e ]?0?$/)), (text) => {
        const isCanonical = /^\d{1,10}$/.test(text) && String(Number(text)) === text && Number(text) < 2 ** 32 - 1;
        expect(outcome(text)).toBe(isCanonical ? Number(text) : 'RangeError');
      }),
      { numRuns: 2000 },
    );
  });
});
