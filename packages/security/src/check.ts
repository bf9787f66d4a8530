import { nearest, quote } from '@ctr/syscall';

/** Refuses a number that is not an integer within bounds. Throws a `RangeError`. */
export function checkInteger(what: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new RangeError(`${what} is ${quote(value)}: it has to be an integer from ${least} to ${most}`);
}

/** Refuses a word that is not one of a table's; says which one is near. Throws a `RangeError`. */
export function checkWord(what: string, word: unknown, table: object): void {
  if (typeof word === 'string' && Object.hasOwn(table, word)) return;
  const known = Object.keys(table);
  const near = typeof word === 'string' ? nearest(word, known) : undefined;
  throw new RangeError(`${what}: ${quote(word)}${near === undefined ? `: it has to be one of ${known.join(', ')}` : `: did you mean ${near}?`}`);
}
