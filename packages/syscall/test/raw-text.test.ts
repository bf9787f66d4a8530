import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bytesOf, explain, perform, textOf } from '@ctr/syscall';

describe('a text of bytes', () => {
  it.each([
    ['UTF-8 is as it is', 'zwölf € 𝄞', '7a77c3b66c6620e282ac20f09d849e'],
    ['a byte that is none', 'a\udcffb', '61ff62'],
    ['the beginning of a character', '€\udce2\udc82', 'e282ace282'],
    ['half a surrogate pair as UTF-8 would be', '\udced\udcb3\udcbf', 'edb3bf'],
    ['an overlong NUL', '\udcc0\udc80', 'c080'],
    ['what Node puts there, given as such', '\uFFFD', 'efbfbd'],
  ])('%s', (_, text, hex) => {
    expect(textOf(Buffer.from(hex, 'hex'))).toBe(text);
    expect(bytesOf(text).toString('hex')).toBe(hex);
  });

  it('has the same bytes again, whatever they are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => Buffer.compare(bytesOf(textOf(bytes)), bytes) === 0));
  });

  it.each(['\ud800', 'a\udc00', '\udc7f', '\udd00', '\udcff\ud801'])('has no half of a surrogate pair that is no byte: %j', (text) => {
    expect(() => bytesOf(text)).toThrow('a text has half a surrogate pair in it, which stands for no byte');
  });

  it('reaches the kernel as these bytes, or not at all', () => {
    const open = (path: string) => perform([{ call: 'memfd_create', args: [path, 1], purpose: 'a file with a name' }]);
    expect(() => open('\ud800')).toThrow('half a surrogate pair');
    expect(explain([{ call: 'chdir', args: ['a\udcff'], purpose: 'go' }])).toContain(String.raw`chdir("a\377")`);
  });
});
