import { ValueError } from '../usage-error.js';

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const MAX_MS = 2 ** 31 - 1;

/** A time in milliseconds: `10s`, `500ms`, `1.5m`, `2h`; without a unit in seconds. */
export function parseDuration(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const result = Number(number) * (milliseconds[unit] ?? Number.NaN);
  if (!(result > 0 && result <= MAX_MS)) throw new ValueError('a time such as 10s: a number, and ms, s, m or h; more than 0, and at most 596h');
  return result;
}
