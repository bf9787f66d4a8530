import { rlimitResources } from '@ctr/syscall';

import { list, object, required, uint64, word, type Schema } from '../schema/schema.js';

/** A resource limit. The largest number of 64 bits is no limit. @see getrlimit(2) */
export interface PosixRlimit {
  readonly type: keyof typeof rlimitResources;
  readonly soft: number | bigint;
  readonly hard: number | bigint;
}

const rlimit = object<PosixRlimit>(
  { type: required(word(Object.keys(rlimitResources) as PosixRlimit['type'][])), soft: required(uint64()), hard: required(uint64()) },
  (value, report) => {
    if (value.soft > value.hard) report.error('soft', value.soft, `no more than the hard limit, ${value.hard}`);
  },
);

export const rlimits: Schema<readonly PosixRlimit[]> = list(rlimit, (value, report) => {
  const seen = new Set<string>();
  for (const [index, { type }] of value.entries()) {
    if (seen.has(type)) report.error(`[${index}].type`, type, 'a resource that has no limit yet: each can have one');
    seen.add(type);
  }
});
