import { printable, printableLines, quote } from '@ctr/syscall';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';

it.each([
  ['plain', '"plain"'],
  ['', '""'],
  ['a "b" \\c', String.raw`"a \"b\" \\c"`],
  ['tab\tline\n', String.raw`"tab\tline\n"`],
  ['\u001B[2J', String.raw`"\u001b[2J"`],
  ['\u009B2J\u007F', String.raw`"\u009b2J\u007f"`],
  ['ab\u202Ecd\u200B', String.raw`"ab\u202ecd\u200b"`],
  ['\u2066a\u2069\u2028\u2029\uFEFF', String.raw`"\u2066a\u2069\u2028\u2029\ufeff"`],
  ['\u{E0041}', String.raw`"\udb40\udc41"`],
  ['\uD800', String.raw`"\ud800"`],
  ['é ü 漢 🙂', '"é ü 漢 🙂"'],
  ['x'.repeat(81), `"${'x'.repeat(80)}…"`],
  [`${'x'.repeat(79)}🙂🙂`, `"${'x'.repeat(79)}…"`],
])('%j is shown as %s', (text, expected) => {
  expect(quote(text)).toBe(expected);
});

it.each([
  [5, '5'],
  [7n, '7'],
  [undefined, 'undefined'],
  [null, 'null'],
  [{ toString: () => '\u001B[2J' }, 'a value of type object'],
  [() => 1, 'a value of type function'],
])('what is no text is shown by its value or its type: %o', (value, expected) => {
  expect(quote(value)).toBe(expected);
});

it('is harmless to a terminal, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(quote(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    }),
  );
});

it('leaves what can be read as it is', () => {
  expect(printable('mount("proc", "/proc") → ✔')).toBe('mount("proc", "/proc") → ✔');
});

it('leaves lines where they end, if asked to, and JSON the same value', () => {
  expect(printableLines('a\n\tb\r\u001B[2J')).toBe('a\n\tb\\r\\u001b[2J');
  const value = { ['k\u202Ey']: ['\u2066a\u001B\u200B\u007F\u{E0041}\uD800\n\t"\\'], n: 1 };
  for (const indent of [undefined, 2, '\t']) {
    const text = printableLines(JSON.stringify(value, null, indent));
    expect(text).toMatch(/^[\n\t\u0020-\u007E]*$/);
    expect(JSON.parse(text)).toEqual(value);
  }
});
