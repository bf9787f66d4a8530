import type { Args } from './args.js';
import type { Log } from './log.js';

/** What a command is given. */
export interface Context {
  readonly args: Args;
  readonly root: { readonly root?: string };
  readonly log: Log;
  /** How the cgroups are made. */
  readonly cgroupManager: string;
}

/** A command of the command line: resolves to its exit code. */
export type Action = (context: Context) => Promise<number> | number;
