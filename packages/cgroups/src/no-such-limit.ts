import { CgroupError } from './error.js';
import type { Limits } from './limits.js';

/** The error for a limit that a version of control groups does not have. */
export function noSuchLimit(limit: keyof Limits, version: 1 | 2, why: string): CgroupError {
  return new CgroupError('no-such-limit', `${limit} cannot be had on version ${version} of control groups, which is what is here: ${why}`);
}
