import { ioWeightOf } from '../block-io.js';
import { deviceNumbers } from '../check-limits.js';
import type { IoDevice, Limits } from '../limits.js';
import { noPeriod, quotaOf } from '../quota.js';
import { weightOf } from '../v2/cpu.js';

/** A property of a unit as D-Bus has it: its name, and the signature and value of a variant. An integer that a number cannot hold is text. */
export type UnitProperty = readonly [name: string, value: readonly [signature: string, value: unknown]];

/** UINT64_MAX, as the library takes numbers of more than 53 bits: systemd's "infinity". */
const INFINITY = '18446744073709551615';
const SECOND = 1_000_000;
/** systemd writes a quota down in percent of a processor: what is finer would be lost when it reads its units again. */
const PERCENT = SECOND / 100;

const numbers = [
  ['pids', 'TasksMax'],
  ['memoryBytes', 'MemoryMax'],
  ['swapBytes', 'MemorySwapMax'],
  ['memoryHighBytes', 'MemoryHigh'],
  ['memoryReservationBytes', 'MemoryLow'],
  ['memoryLowBytes', 'MemoryLow'],
  ['memoryMinBytes', 'MemoryMin'],
] as const satisfies readonly (readonly [keyof Limits, string])[];

const throttles = [
  ['readBytesPerSecond', 'IOReadBandwidthMax'],
  ['writeBytesPerSecond', 'IOWriteBandwidthMax'],
  ['readOperationsPerSecond', 'IOReadIOPSMax'],
  ['writeOperationsPerSecond', 'IOWriteIOPSMax'],
] as const satisfies readonly (readonly [keyof IoDevice, string])[];

/**
 * The limits that systemd has a property for. Whenever it reads its units again, it writes all of these anew, so it has to know them; the rest it leaves alone.
 *
 * @see systemd.resource-control(5)
 */
export function propertiesOf(given: Limits): UnitProperty[] {
  const limits = { ...given, ...ofFiles(given.unified ?? {}) };
  return [
    ...numbers.flatMap(([limit, name]): UnitProperty[] => (limits[limit] === undefined ? [] : [[name, ['t', infinite(limits[limit])]]])),
    ...cpu(limits),
    ...list('AllowedCPUs', limits.cpus),
    ...list('AllowedMemoryNodes', limits.memoryNodes),
    ...io(limits),
  ];
}

function infinite(limit: number | 'max'): number | string {
  return limit === 'max' ? INFINITY : limit;
}

function cpu(limits: Limits): UnitProperty[] {
  const { cpuWeight, cpuShares, cpuPeriodMicroseconds: period } = limits;
  const weight = cpuWeight ?? (cpuShares === undefined ? undefined : weightOf(cpuShares));
  const quota = quotaOf(limits);
  const perSecond =
    typeof quota === 'number'
      ? Math.max(Math.ceil((quota * SECOND) / (period ?? noPeriod) / PERCENT) * PERCENT, PERCENT)
      : quota === 'max'
        ? INFINITY
        : undefined;
  return [
    ...(weight === undefined ? [] : [['CPUWeight', ['t', weight]] as const]),
    ...(perSecond === undefined ? [] : [['CPUQuotaPerSecUSec', ['t', perSecond]] as const]),
    ...(period === undefined ? [] : [['CPUQuotaPeriodUSec', ['t', period]] as const]),
  ];
}

/** A list such as `0-3,5` as a set of bits, the least first. */
function list(name: string, text: string | undefined): UnitProperty[] {
  if (text === undefined) return [];
  const bytes: number[] = [];
  for (const range of text.trim().split(',')) {
    const [first = 0, last = first] = range.split('-').map(Number);
    for (let bit = first; bit <= last; bit++) {
      while (bytes.length <= bit >> 3) bytes.push(0);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }
  return [[name, ['ay', bytes]]];
}

/** A disk is named by a path, which systemd looks up itself. */
function io({ ioWeight, blkioWeight, ioDevices = [] }: Limits): UnitProperty[] {
  const weight = ioWeightOf(ioWeight, blkioWeight);
  const disks = ioDevices.map((device) => ({ ...device, path: `/dev/block/${deviceNumbers(device.device)}` }));
  const weights = disks.flatMap(({ path, weight: own, blkioWeight: old }) => {
    const value = ioWeightOf(own, old);
    return value === undefined ? [] : [[path, value]];
  });
  return [
    ...(weight === undefined ? [] : [['IOWeight', ['t', weight]] as const]),
    ...(weights.length === 0 ? [] : [['IODeviceWeight', ['a(st)', weights]] as const]),
    ...throttles.flatMap(([limit, name]): UnitProperty[] => {
      const values = disks.flatMap((disk) => (disk[limit] === undefined ? [] : [[disk.path, infinite(disk[limit])]]));
      return values.length === 0 ? [] : [[name, ['a(st)', values]]];
    }),
  ];
}

const sizes = {
  'pids.max': 'pids',
  'memory.max': 'memoryBytes',
  'memory.high': 'memoryHighBytes',
  'memory.low': 'memoryLowBytes',
  'memory.min': 'memoryMinBytes',
  'memory.swap.max': 'swapBytes',
} as const;
const units = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 } as const;

/** The files of `unified` that systemd would write as well: what stands there has to be what it knows. */
function ofFiles(unified: Readonly<Record<string, string>>): Limits {
  const limits: Record<string, number | string> = {};
  for (const [file, name] of Object.entries(sizes)) {
    const value = unified[file]?.trim();
    const [, digits, unit] = /^(\d+)([KMGT])?$/i.exec(value ?? '') ?? [];
    if (value === 'max') limits[name] = value;
    else if (digits !== undefined) limits[name] = Number(digits) * (unit === undefined ? 1 : units[unit.toUpperCase() as keyof typeof units]);
  }
  const weight = unified['cpu.weight'];
  if (weight !== undefined && /^\d+$/.test(weight)) limits['cpuWeight'] = Number(weight);
  const [quota, period] = unified['cpu.max']?.trim().split(/\s+/) ?? [];
  if (quota !== undefined) limits['cpuQuotaMicroseconds'] = quota === 'max' ? quota : Number(quota);
  if (period !== undefined) limits['cpuPeriodMicroseconds'] = Number(period);
  for (const [file, name] of [
    ['cpuset.cpus', 'cpus'],
    ['cpuset.mems', 'memoryNodes'],
  ] as const)
    if (unified[file] !== undefined) limits[name] = unified[file];
  return limits;
}
