import type { Limits } from '../limits.js';
import { noSuchLimit } from '../no-such-limit.js';
import { noPeriod, quotaOf } from '../quota.js';
import type { ReadNow, Setting } from '../setting.js';

const noIdle = 'kernels before 5.15 have no idle groups';
const noBurst = 'kernels before 5.15 let no group save time for later';

/** `cpu.max`, `cpu.max.burst`, `cpu.weight` and `cpu.idle`. @see Documentation/admin-guide/cgroup-v2.rst of the kernel, CPU Interface Files */
export function cpu(limits: Limits): Setting[] {
  checkHas(limits);
  return [...bandwidth(limits), ...burst(limits), ...weight(limits)];
}

/** The same for a group that is there: what is not given of quota and period stays as it is. */
export function cpuChange(limits: Limits, read: ReadNow): Setting[] {
  checkHas(limits);
  const [quota, period = noPeriod] = (read('cpu.max') ?? '').split(/\s+/);
  const { cpuCores, cpuQuotaMicroseconds = quota === 'max' || quota === undefined ? 'max' : Number(quota), cpuPeriodMicroseconds = Number(period) } = limits;
  const complete = cpuCores === undefined ? { ...limits, cpuQuotaMicroseconds, cpuPeriodMicroseconds } : { ...limits, cpuPeriodMicroseconds };
  const changes = cpuCores ?? limits.cpuQuotaMicroseconds ?? limits.cpuPeriodMicroseconds;
  const time = changes === undefined ? [] : bandwidth(complete);
  // The kernel keeps the burst within the quota.
  const lowersBurst = limits.cpuBurstMicroseconds !== undefined && limits.cpuBurstMicroseconds < Number(read('cpu.max.burst'));
  return [...(lowersBurst ? [...burst(limits), ...time] : [...time, ...burst(limits)]), ...weight(limits)];
}

function bandwidth(limits: Limits): Setting[] {
  const { cpuPeriodMicroseconds: period } = limits;
  const quota = quotaOf(limits);
  return quota === undefined && period === undefined
    ? []
    : [
        {
          file: 'cpu.max',
          value: `${quota ?? 'max'} ${period ?? noPeriod}`,
          hints: { EINVAL: 'the quota may not be less than cpuBurstMicroseconds, which stands' },
        },
      ];
}

function checkHas(limits: Limits): void {
  for (const name of ['cpuRealtimeRuntimeMicroseconds', 'cpuRealtimePeriodMicroseconds'] as const)
    if (limits[name] !== undefined) throw noSuchLimit(name, 2, 'its cpu controller limits ordinary processes alone');
}

function burst({ cpuBurstMicroseconds }: Limits): Setting[] {
  return cpuBurstMicroseconds === undefined ? [] : [{ file: 'cpu.max.burst', value: String(cpuBurstMicroseconds), absent: noBurst }];
}

/** The weight of a group that is idle cannot be changed, so it stops being idle first. */
function weight({ cpuIdle, cpuWeight, cpuShares }: Limits): Setting[] {
  const settings: Setting[] = cpuIdle === undefined ? [] : [{ file: 'cpu.idle', value: cpuIdle ? '1' : '0', absent: noIdle }];
  const value = cpuWeight ?? (cpuShares === undefined ? undefined : weightOf(cpuShares));
  if (value !== undefined) settings.push({ file: 'cpu.weight', value: String(value), hints: { EINVAL: 'an idle group has no weight: set cpuIdle to false' } });
  return settings;
}

/**
 * The curve through 2 and 1, 1024 and 100, 262144 and 10000 that runc and crun take since 2025. The line between the ends, which they took before, brought the default to 39.
 *
 * @see https://github.com/opencontainers/runc/pull/4785
 */
export function weightOf(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const doublings = Math.log2(shares);
  return Math.ceil(10 ** ((doublings * doublings + 125 * doublings) / 612 - 7 / 34));
}
