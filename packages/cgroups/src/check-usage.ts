import { CgroupError } from './error.js';

/** Throws if a group uses more already than a limit that it is to get. */
export function checkUsage(limits: string, bytes: number | 'max' | undefined, usage: string | undefined): void {
  if (typeof bytes !== 'number' || usage === undefined || Number(usage) <= bytes) return;
  throw new CgroupError(
    'in-use',
    `${limits}: the group uses ${Number(usage)} bytes now, which is more than ${bytes}: end processes of it first, or leave memoryCheckBeforeUpdate out`,
  );
}
