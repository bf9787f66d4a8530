import { INT64, object, wide, type Schema } from '../schema/schema.js';

/** A limit of the number of processes and threads. */
export interface LinuxPids {
  /** -1 is none; 0 is a limit, too. @default none */
  readonly limit?: number | bigint;
}

export const pids: Schema<LinuxPids> = object<LinuxPids>({ limit: wide(-1n, INT64.most) });
