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

/** What a group has used and uses now. */
export interface Stats extends Usage {
  readonly cpuUserMicroseconds: number | undefined;
  readonly cpuSystemMicroseconds: number | undefined;
  readonly memoryCurrentBytes: number | undefined;
  readonly pidsCurrent: number | undefined;
}

/** Reads a control file of a group; `undefined` if this kernel has no such file. */
export type ReadFile = (file: string) => string | undefined;

/** The number that stands alone in a file; `undefined` for none and for `max`. */
export function number(text: string | undefined): number | undefined {
  return text === undefined || !/^\d+\s*$/.test(text) ? undefined : Number(text);
}

/** The number behind a key, in a file of lines `key number`. */
export function keyed(text: string | undefined, key: string): number | undefined {
  const line = text?.split('\n').find((candidate) => candidate.startsWith(`${key} `));
  return line === undefined ? undefined : number(line.slice(key.length + 1));
}
