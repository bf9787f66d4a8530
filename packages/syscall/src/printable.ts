/** How much of a text that somebody has given is shown in a message. */
const MAX_SHOWN = 80;

/**
 * What does not show, or moves what does: control characters (Cc), format characters (Cf), which turn the direction of a line or have no width, separators of lines and paragraphs
 * (Zl, Zp), and surrogates that stand alone (Cs). A terminal obeys them.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** Printable ASCII but for `"` and `\\`: most texts, which nothing has to be looked for in. */
const plain = /^[ !#-[\]-~]*$/;
const names: Readonly<Record<string, string>> = { '\n': String.raw`\n`, '\t': String.raw`\t`, '\r': String.raw`\r` };

/**
 * A text of someone else's making, for one line of a terminal or a log: characters that do not show, and those that move others, are escaped (`\u001b`), the end of a line as `\n`.
 *
 * @see UAX #44: General_Category
 * @example
 * ```ts
 * import { printable } from '@ctr/syscall';
 * printable('a\u202eb'); // 'a\\u202eb'
 * ```
 */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (character) => names[character] ?? escaped(character));
}

/**
 * The same for a text of several lines: their ends and tabs stay. JSON stays JSON of the same value, since it has all others within strings, where the escapes are its own.
 *
 * @example
 * ```ts
 * import { printableLines } from '@ctr/syscall';
 * printableLines(JSON.stringify({ bundle: '/srv/a\u202eb' }, null, 2)); // '{\n  "bundle": "/srv/a\\u202eb"\n}'
 * ```
 */
export function printableLines(text: string): string {
  return text.replaceAll(unprintable, (character) => (character === '\n' || character === '\t' ? character : (names[character] ?? escaped(character))));
}

/**
 * A value of someone else's making, for a message: a string in quotes, on one line, cut after 80 characters, and harmless to a terminal; of an object, its type.
 *
 * @example
 * ```ts
 * import { quote } from '@ctr/syscall';
 * quote('a "b"\n'); // '"a \\"b\\"\\n"'
 * quote(5); // '5'
 * ```
 */
export function quote(value: unknown): string {
  if (typeof value === 'function' || (typeof value === 'object' && value !== null)) return `a value of type ${typeof value}`;
  if (typeof value !== 'string') return String(value);
  if (value.length <= MAX_SHOWN && plain.test(value)) return `"${value}"`;
  const cut = value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN).replace(/[\ud800-\udbff]$/, '')}…` : value;
  return `"${printable(cut.replaceAll(/["\\]/g, String.raw`\$&`))}"`;
}

/** By units of UTF-16, as JSON has it: a character beyond the first 65,536 takes two. */
function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
