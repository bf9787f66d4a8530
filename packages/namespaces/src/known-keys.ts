/** Further from a known word than this, a key is no misspelling of it. */
const MISSPELT = 3;

/** Throws a `TypeError` for a key that an object of options does not have, with the known one that it resembles. */
export function checkKeys(what: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const [nearest] = known.filter((name) => distance(key, name) <= MISSPELT).toSorted((a, b) => distance(key, a) - distance(key, b));
    throw new TypeError(`${what} has no ${JSON.stringify(key)}: ${nearest === undefined ? '' : `is ${nearest} meant? `}it has ${known.join(', ')}`);
  }
}

/** How many letters have to be changed, added or left out to make one word of the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
