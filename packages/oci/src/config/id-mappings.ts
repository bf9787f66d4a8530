import { integer, list, object, required, uint32, type Schema } from '../schema/schema.js';

/** A range of ids, and what it is outside. */
export interface LinuxIdMapping {
  /** The first id in the container. */
  readonly containerID: number;
  /** The first id on the host. */
  readonly hostID: number;
  /** How many. */
  readonly size: number;
}

/** linux/user_namespace.h: UID_GID_MAP_MAX_EXTENTS */
const MOST_RANGES = 340;

const mapping = object<LinuxIdMapping>(
  { containerID: required(uint32()), hostID: required(uint32()), size: required(integer(1, 2 ** 32 - 1)) },
  (value, report) => {
    const first = Math.max(value.containerID, value.hostID);
    if (first + value.size > 2 ** 32 - 1) report.error('size', value.size, `at most ${2 ** 32 - 1 - first}: ids end at ${2 ** 32 - 2}`);
  },
);

export const idMappings: Schema<readonly LinuxIdMapping[]> = list(mapping, (value, report) => {
  if (value.length > MOST_RANGES) report.error('', value, `at most ${MOST_RANGES} ranges`);
  for (const side of ['containerID', 'hostID'] as const) {
    const sorted = [...value.entries()].toSorted(([, a], [, b]) => a[side] - b[side]);
    for (const [place, [index, range]] of sorted.entries()) {
      const before = sorted[place - 1]?.[1];
      if (before !== undefined && before[side] + before.size > range[side])
        report.error(`[${index}].${side}`, range[side], `a range apart from ${before[side]} to ${before[side] + before.size - 1}, which is mapped already`);
    }
  }
});
