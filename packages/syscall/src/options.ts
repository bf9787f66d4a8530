import { quote } from './printable.js';

/**
 * Refuses option keys that do not exist: throws a `TypeError` that names the key, and the known one that is nearest to it.
 *
 * @example
 * ```ts
 * import { checkOptions } from '@ctr/syscall';
 * checkOptions('tmpfs', { sizeBytes: 4096 }, ['sizeBytes', 'mode']);
 * ```
 */
export function checkOptions(where: string, given: object, known: readonly string[]): void {
  if (typeof given !== 'object' || (given as unknown) === null)
    throw new TypeError(`${where}: ${given === null ? 'null' : typeof given} in place of an object of options`);
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    throw new TypeError(`${where}: there is no option ${quote(key)}${near === undefined ? `; there are ${known.join(', ')}` : `: did you mean ${near}?`}`);
  }
}

/**
 * The word that is nearest to another, if one is near enough to have been meant.
 *
 * @example
 * ```ts
 * import { nearest } from '@ctr/syscall';
 * nearest('hostnmae', ['hostname', 'rootfs']); // 'hostname'
 * ```
 */
export function nearest(word: string, among: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of among) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Insertions, deletions, changes and swaps of neighbours that lead from one word to the other. */
function editDistance(a: string, b: string): number {
  let previous: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (previous[j - 2] ?? 0) + 1);
      next.push(cost);
    }
    [previous, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
