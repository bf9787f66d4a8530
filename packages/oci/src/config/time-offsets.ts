import { int64, integer, object, type Schema } from '../schema/schema.js';

/** What the clocks of a time namespace are ahead of the host's. @see time_namespaces(7) */
export interface LinuxTimeOffsets {
  readonly boottime?: LinuxTimeOffset;
  readonly monotonic?: LinuxTimeOffset;
}

/** What a clock is ahead of the host's. */
export interface LinuxTimeOffset {
  readonly secs?: number | bigint;
  /** Besides the seconds. */
  readonly nanosecs?: number;
}

const offset = object<LinuxTimeOffset>({ secs: int64(), nanosecs: integer(0, 999_999_999) });

export const timeOffsets: Schema<LinuxTimeOffsets> = object<LinuxTimeOffsets>({ boottime: offset, monotonic: offset });
