import { ValueError } from '../usage-error.js';

const exponents: Readonly<Record<string, number>> = { '': 0, b: 0, k: 1, m: 2, g: 3, t: 4 };

/** A number of bytes, as docker and the kernel write it: `65536`, `64k`, `1.5g`, also `64mb` and `64MiB`; each step is 1024. */
export function parseSize(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([bkmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  const exponent = exponents[unit?.toLowerCase() ?? 'none'];
  if (number === undefined || exponent === undefined) throw new ValueError('a size such as 64m: a number, and b, k, m or g');
  return Math.floor(Number(number) * 1024 ** exponent);
}
