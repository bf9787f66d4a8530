import { nearest } from '@ctr/syscall';

/** Refuses a number that is not an integer within bounds. Throws a `RangeError`. */
export function checkInteger(what: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new RangeError(`${what} is ${quoted(value)}: it has to be an integer from ${least} to ${most}`);
}

/** Refuses a word that is not one of a table's; says which one is near. Throws a `RangeError`. */
export function checkWord(what: string, word: unknown, table: object): void {
  if (typeof word === 'string' && Object.hasOwn(table, word)) return;
  const known = Object.keys(table);
  const near = typeof word === 'string' ? nearest(word, known) : undefined;
  throw new RangeError(`${what}: ${quoted(word)}${near === undefined ? `: it has to be one of ${known.join(', ')}` : `: did you mean ${near}?`}`);
}

/** A value of someone else's making, for a message: one line, cut, and harmless to a terminal. */
export function quoted(value: unknown): string {
  // Not each object can be made a string, and what most say is of no use.
  if (typeof value === 'function' || (typeof value === 'object' && value !== null)) return `a value of type ${typeof value}`;
  if (typeof value !== 'string') return String(value);
  const cut = value.length > 80 ? `${value.slice(0, 80)}…` : value;
  return JSON.stringify(cut).replaceAll(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
