/**
 * Refuses an option that is not known, and names the nearest one that is: a misspelt `readonly` must not silently leave a mount writable.
 * Throws a `TypeError`.
 */
export function checkOptions(of: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const nearest = known.toSorted((a, b) => distance(key, a) - distance(key, b))[0];
    throw new TypeError(`${of} has no option ${JSON.stringify(key)}${nearest === undefined ? '' : `: did you mean ${JSON.stringify(nearest)}?`}`);
  }
}

/** Refuses a value that is not one of a few. Throws a `RangeError`. */
export function checkOneOf(what: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) throw new RangeError(`${what} is ${JSON.stringify(value)}: it has to be one of ${known.join(', ')}`);
}

/** Refuses a number that is not an integer within bounds. Throws a `RangeError`. */
export function checkInteger(what: string, value: number, least: number, most: number = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) throw new RangeError(`${what} is ${value}: it has to be an integer from ${least} to ${most}`);
}

/** Refuses a mode with more than permission bits. Throws a `RangeError`. */
export function checkMode(what: string, mode: number): void {
  checkInteger(`the mode of ${what}`, mode, 0, 0o7777);
}

/** Refuses what is not the name of one file in a directory: a name with a slash would be a path, which can lead elsewhere. Throws a `RangeError`. */
export function checkName(what: string, name: string): void {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
    throw new RangeError(`${what}: ${JSON.stringify(name)} is not the name of one file in a directory`);
  }
}

/** Levenshtein distance, ignoring case. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1]?.toLowerCase() === b[j - 1]?.toLowerCase();
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
