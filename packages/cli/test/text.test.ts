import { expect, it } from 'vitest';

import { printable, shown } from '../src/text.js';

it.each([
  ['plain', '"plain"'],
  ['', '""'],
  ['a "b" \\c', String.raw`"a \"b\" \\c"`],
  ['tab\tline\n', String.raw`"tab\tline\n"`],
  ['\u001B[2J', String.raw`"\u001b[2J"`],
  ['ab\u202Ecd\u200B', String.raw`"ab\u202ecd\u200b"`],
  ['\uD800', String.raw`"\ud800"`],
  ['é ü 漢 🙂', '"é ü 漢 🙂"'],
  ['x'.repeat(81), `"${'x'.repeat(80)}…"`],
])('%j is shown as %s', (text, expected) => {
  expect(shown(text)).toBe(expected);
});

it('leaves what can be read as it is', () => {
  expect(printable('mount("proc", "/proc") → ✔')).toBe('mount("proc", "/proc") → ✔');
});
