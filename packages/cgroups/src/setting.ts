import type { Hints } from './hints.js';

/** One line for one file of a group. */
export interface Setting {
  /** The file of the group: `pids.max`. */
  readonly file: string;
  readonly value: string;
  /** Why a kernel may lack the file, and what to do, for the error. */
  readonly absent?: string;
  /** What the errors of writing it mean, before what they mean for any limit. */
  readonly hints?: Hints;
  /** The same limit in another file: each of the two is written that is there, and one has to be. */
  readonly twin?: { readonly file: string; readonly value: string };
}

/** Reads a file of the group as it is; `undefined` if there is none. */
export type ReadNow = (file: string) => string | undefined;
