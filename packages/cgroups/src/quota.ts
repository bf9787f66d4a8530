import type { Limits } from './limits.js';

/** What a group has from its beginning, in microseconds. */
export const noPeriod = 100_000;

/** The processor time in each period, in microseconds. */
export function quotaOf({ cpuCores, cpuQuotaMicroseconds, cpuPeriodMicroseconds = noPeriod }: Limits): number | 'max' | undefined {
  return typeof cpuCores === 'number' ? Math.round(cpuCores * cpuPeriodMicroseconds) : (cpuCores ?? cpuQuotaMicroseconds);
}
