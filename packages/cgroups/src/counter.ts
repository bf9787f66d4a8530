import type { Statistics } from './statistics.js';

/** What a group has used in all its life. `undefined`: this kernel does not say, or the group has not the controller. */
export interface Usage {
  readonly cpuMicroseconds: number | undefined;
  /** The most memory it has held at once, page cache included. */
  readonly memoryPeakBytes: number | undefined;
  /** How many processes the kernel has killed for lack of memory. */
  readonly oomKills: number | undefined;
  /** The most processes and threads there were at once. */
  readonly pidsPeak: number | undefined;
  /** How often a new process was refused for the limit. */
  readonly pidsMaxHits: number | undefined;
}

/** What a group has used and uses now: the figures that are asked for most, and all there are, by controller. */
export interface Stats extends Usage, Statistics {
  readonly cpuUserMicroseconds: number | undefined;
  readonly cpuSystemMicroseconds: number | undefined;
  readonly memoryCurrentBytes: number | undefined;
  readonly pidsCurrent: number | undefined;
}

/** Reads a control file of a group; `undefined` if this group has no such file. */
export type ReadFile = (file: string) => string | undefined;

/** Where counters are read from. */
export interface Source {
  readonly read: ReadFile;
  /** The names of the files that are there. */
  readonly files: readonly string[];
  /** The texts of a file in the groups below, where there are any. */
  readonly readBelow: (file: string) => string[];
}

/** u64 has 20 digits. */
const NUMBER = /^\d{1,20}$/;
/** v1 has no limit as the most pages there can be, in bytes: 2^63 - 1, rounded down to pages. */
const NO_LIMIT_BYTES = 2 ** 62;

/** The number that stands alone in a text; `undefined` for none and for `max`. Above 2^53, the nearest one that a double has. */
export function number(text: string | undefined): number | undefined {
  const trimmed = text?.trim();
  return trimmed === undefined || !NUMBER.test(trimmed) ? undefined : Number(trimmed);
}

/** A limit: a number or `max`, which v1 writes as a number that cannot be reached, or as -1. */
export function limitOf(text: string | undefined): number | 'max' | undefined {
  const trimmed = text?.trim();
  if (trimmed === 'max' || trimmed === '-1') return 'max';
  const value = number(trimmed);
  return value !== undefined && value >= NO_LIMIT_BYTES ? 'max' : value;
}

/** The number behind a key, in a file of lines `key number`. */
export function keyed(text: string | undefined, key: string): number | undefined {
  return text === undefined ? undefined : valuesOf(text).get(key);
}

/** All numbers of a file of lines `key number`. Other lines are passed over. */
export function valuesOf(text: string | undefined): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text?.split('\n') ?? []) {
    const space = line.indexOf(' ');
    const value = space > 0 ? number(line.slice(space + 1)) : undefined;
    if (value !== undefined) values.set(line.slice(0, space), value);
  }
  return values;
}

/** All texts of a file of lines `key word word …`, by key: `8:0` → `['rbytes=1', 'wbytes=2']`. Lines of one key are put together. */
export function wordsOf(text: string | undefined): ReadonlyMap<string, readonly string[]> {
  const lines = new Map<string, string[]>();
  for (const line of text?.split('\n') ?? []) {
    const [key, ...words] = line.split(' ').filter(Boolean);
    if (key === undefined) continue;
    const known = lines.get(key);
    if (known) known.push(...words);
    else lines.set(key, words);
  }
  return lines;
}

/** What stands behind `name=` among words. */
export function pair(words: readonly string[] | undefined, name: string): string | undefined {
  return words?.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Some of v1's files count nanoseconds. */
export function microseconds(nanoseconds: number | undefined): number | undefined {
  return nanoseconds === undefined ? undefined : Math.round(nanoseconds / 1000);
}
