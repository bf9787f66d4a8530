import { quote } from '@ctr/syscall';

/** The largest id. The number behind it is (uid_t)-1, which means "no id" to the kernel. */
export const MAX_ID = 0xfffffffe;

/**
 * Reads a user or group id, and nothing else: decimal digits, without sign, space, leading zero, exponent or anything behind them.
 * Throws a `RangeError` that quotes the text. A lenient reader takes `1:0` or the empty string for some id, and that may be root's.
 *
 * @see credentials(7)
 * @example
 * ```ts
 * import { parseId } from '@ctr/namespaces';
 * console.log(parseId('1000')); // 1000
 * ```
 */
export function parseId(text: string): number {
  const id = parseDecimal(text, MAX_ID);
  if (id === undefined) throw new RangeError(`${quote(text)} is not an id: an id is a decimal number from 0 to ${MAX_ID}, without sign, space or leading zero`);
  return id;
}

/** A number in decimal digits, not above `most`, or `undefined`. */
export function parseDecimal(text: string, most: number): number | undefined {
  if (typeof text !== 'string' || text.length > 10 || !/^(?:0|[1-9][0-9]*)$/.test(text)) return undefined;
  const number = Number(text);
  return number <= most ? number : undefined;
}
