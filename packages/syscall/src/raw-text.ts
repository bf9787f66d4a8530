import { isUtf8 } from 'node:buffer';
import { readFileSync, readlinkSync } from 'node:fs';
import { resolve } from 'node:path';

/** Half a surrogate pair, which stands alone: what no text has that comes from UTF-8. */
const alone = /\p{Cs}/u;
/** PEP 383: a byte that is no UTF-8 is the low surrogate of this number and its own. */
const FIRST = 0xdc00;
const FIRST_BYTE = 0x80;
const LAST_BYTE = 0xff;
/** What Node has put in the place of such a byte. */
const REPLACED = '\uFFFD';
const LONGEST_CHARACTER = 4;

/**
 * Bytes as text, of which {@link bytesOf} makes the same bytes again: those that are no UTF-8 become U+DC80 to U+DCFF, as Python has them. The kernel knows arguments, variables and paths
 * as bytes.
 *
 * @see PEP 383
 * @example
 * ```ts
 * import { bytesOf, textOf } from '@ctr/syscall';
 * bytesOf(textOf(Buffer.of(0x61, 0xff))); // <Buffer 61 ff>
 * ```
 */
export function textOf(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString('utf8');
  let text = '';
  for (let at = 0; at < buffer.length;) {
    let length = 1;
    while (length <= LONGEST_CHARACTER && at + length <= buffer.length && !isUtf8(buffer.subarray(at, at + length))) length++;
    if (length > LONGEST_CHARACTER || at + length > buffer.length) text += String.fromCharCode(FIRST + (buffer[at++] ?? 0));
    else text += buffer.toString('utf8', at, (at += length));
  }
  return text;
}

/**
 * The bytes of a text: its UTF-8, where U+DC80 to U+DCFF, which stand alone, are the bytes 0x80 to 0xff. Throws a `TypeError` for half a surrogate pair of any other kind.
 *
 * @example
 * ```ts
 * import { bytesOf } from '@ctr/syscall';
 * bytesOf('a\udcff'); // <Buffer 61 ff>
 * ```
 */
export function bytesOf(text: string): Buffer {
  if (!alone.test(text)) return Buffer.from(text);
  return Buffer.concat(
    Array.from(text, (character) => {
      if (!alone.test(character)) return Buffer.from(character);
      const byte = character.charCodeAt(0) - FIRST;
      if (byte < FIRST_BYTE || byte > LAST_BYTE) throw new TypeError('a text has half a surrogate pair in it, which stands for no byte: give whole characters');
      return Buffer.of(byte);
    }),
  );
}

/**
 * Whether a text is UTF-8 as a whole, so that whoever takes it for such changes nothing.
 *
 * @example
 * ```ts
 * import { isWhole } from '@ctr/syscall';
 * isWhole('a\udcff'); // false
 * ```
 */
export function isWhole(text: string): boolean {
  return !alone.test(text);
}

/**
 * A path for node:fs, which takes text for UTF-8.
 *
 * @example
 * ```ts
 * import { nodePath } from '@ctr/syscall';
 * nodePath('/tmp/\udcff'); // <Buffer 2f 74 6d 70 2f ff>
 * ```
 */
export function nodePath(path: string): string | Buffer {
  return isWhole(path) ? path : bytesOf(path);
}

/**
 * An absolute path, also from a working directory whose name is no UTF-8.
 *
 * @example
 * ```ts
 * import { absolutePath } from '@ctr/syscall';
 * console.log(absolutePath('.')); // the working directory
 * ```
 */
export function absolutePath(path: string): string {
  if (path.startsWith('/') || !process.cwd().includes(REPLACED)) return resolve(path);
  return resolve(textOf(readlinkSync('/proc/self/cwd', { encoding: 'buffer' })), path);
}

/**
 * The words of the command line of this process, as {@link textOf} has them: in `process.argv`, bytes that are no UTF-8 are lost.
 *
 * @example
 * ```ts
 * import { callersWords } from '@ctr/syscall';
 * console.log(callersWords().length);
 * ```
 */
export function callersWords(): string[] {
  const words = process.argv.slice(2);
  return words.some((word) => word.includes(REPLACED)) ? fieldsOf('/proc/self/cmdline').slice(-words.length) : words;
}

/**
 * A variable of the environment of this process, as {@link textOf} has it: in `process.env`, bytes that are no UTF-8 are lost.
 *
 * @example
 * ```ts
 * import { callersVariable } from '@ctr/syscall';
 * console.log(callersVariable('PATH'));
 * ```
 */
export function callersVariable(name: string): string | undefined {
  // It has a prototype, in which there are names as well.
  const value = isWhole(name) && Object.hasOwn(process.env, name) ? process.env[name] : undefined;
  if (isWhole(name) && value?.includes(REPLACED) !== true) return value;
  const field = fieldsOf('/proc/self/environ').find((text) => text.startsWith(`${name}=`));
  const original = field?.slice(name.length + 1);
  // Otherwise this process has changed it since.
  return value === undefined || (original !== undefined && Buffer.from(bytesOf(original)).toString('utf8') === value) ? original : value;
}

/** The fields of such a file, each of which a NUL byte ends. */
function fieldsOf(path: string): string[] {
  const bytes = readFileSync(path);
  const fields: string[] = [];
  for (let [from, to] = [0, bytes.indexOf(0)]; to >= 0; from = to + 1, to = bytes.indexOf(0, from)) fields.push(textOf(bytes.subarray(from, to)));
  return fields;
}
