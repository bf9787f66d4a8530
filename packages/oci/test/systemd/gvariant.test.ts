import { describe, expect, it } from 'vitest';

import { parseVariant } from '../../src/systemd/gvariant.js';

describe('the text of a value of D-Bus', () => {
  it.each([
    ["'inactive-or-failed'", 's', 'inactive-or-failed'],
    [' "it\'s" ', 's', "it's"],
    [String.raw`'a\'b\\\n\u00e9\U0001f600'`, 's', "a'b\\\né😀"],
    ['true', 'b', true],
    ['boolean false', 'b', false],
    ['7', 'i', 7],
    ['-0x10', 'i', -16],
    ['uint64 18446744073709551615', 't', '18446744073709551615'],
    ['int64 -9223372036854775808', 'x', '-9223372036854775808'],
    ['@t 5', 't', 5],
    ['byte 255', 'y', 255],
    ['1.5', 'd', 1.5],
    ['double 3', 'd', 3],
    ["['a', 'b']", 'as', ['a', 'b']],
    ['@as []', 'as', []],
    ['@au [1, 2]', 'au', [1, 2]],
    ['[uint32 1, 2]', 'au', [1, 2]],
    ['[true,false]', 'ab', [true, false]],
  ])('%s is read', (text, signature, value) => {
    expect(parseVariant(text)).toEqual({ signature, value });
  });

  it.each([
    ['', 'a string in quotes, true, false, a number, or an array of these at its end'],
    ['inactive', 'a type that is taken at its end: boolean, byte,'],
    ["'open", "a ' at the end of the string"],
    ["'a' 'b'", 'one value, and nothing from character 5 on'],
    ['uint64 -1', 'an integer of 64 bits that is not negative, and not -1'],
    ['2147483648', 'an integer of 32 bits, and not 2147483648 (a larger one has its type before it: uint64 …)'],
    ['010', 'a whole number without zeros before it, and not 010'],
    ['uint32 1.5', 'a whole number without zeros before it, and not 1.5'],
    ['1e999', 'a double that is one, and not 1e999'],
    ["uint64 'a'", 'a value of one type at character 8: it is s, and has to be t'],
    ['@s 5', 'no number at character 4: the type before it is another'],
    ["['a', 5]", 'no number at character 7: the type before it is another'],
    ['@s []', 'no array at character 5: the type before it is another'],
    ['[]', 'the type before an empty array, as in @as []'],
    ['[1 2]', 'a comma or ] at character 4'],
    ['[1', 'a comma or ] at its end'],
    ['[[1]]', 'no array in an array'],
    ["('a', 1)", 'a string in quotes, true, false, a number, or an array of these at character 1'],
    ["{'a': 1}", 'a string in quotes, true, false, a number, or an array of these at character 1'],
    ["b'a'", 'a string in quotes, true, false, a number, or an array of these at character 1'],
    ['@a{sv} {}', 'a type that is taken at character 1: boolean, byte,'],
    [String.raw`'\u0000'`, 'a string without a NUL'],
    [String.raw`'\u12'`, String.raw`4 hexadecimal digits after \u`],
    [String.raw`'\ud800'`, String.raw`a character, and not \ud800`],
  ])('%s is refused, and it is said why', (text, words) => {
    expect(parseVariant(text)).toEqual(expect.stringContaining(words));
  });

  it('is read once, however long it is', () => {
    const many = 200_000;
    for (const text of [
      `${'1'.repeat(many)}x`,
      '1'.repeat(many),
      `'${"\\\\'".repeat(many)}`,
      `[${'1,'.repeat(many)}`,
      `${'a'.repeat(many)}'`,
      ' '.repeat(many),
      '@'.repeat(many),
    ]) {
      const refusal = parseVariant(text);
      expect(refusal).toBeTypeOf('string');
      expect(String(refusal).length).toBeLessThan(300);
    }
  });
});
