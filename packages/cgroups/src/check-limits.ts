import { checkOptions, quote } from '@ctr/syscall';

import { isCoreFile } from './core-files.js';
import { checkDeviceRules } from './device-rules.js';
import type { IoDevice, Limits, RdmaLimit } from './limits.js';

/**
 * Checks limits before anything is touched: throws a `RangeError` that names the kernel's range, a `TypeError` for what is no number,
 * and one that names the nearest known key for a key that does not exist.
 *
 * @example
 * ```ts
 * import { checkLimits } from '@ctr/cgroups';
 * checkLimits({ pids: 20, memoryBytes: 64 * 2 ** 20 });
 * ```
 */
export function checkLimits(limits: Limits): void {
  checkOptions('limits', limits, names);
  for (const name of names) if (limits[name] !== undefined) checkLimit(name, name, limits[name]);
  checkTogether(limits);
}

/** Checks one limit, which the message calls by a name of the caller's. */
export function checkLimit(shownName: string, name: keyof Limits, value: unknown): void {
  checks[name](shownName, value);
}

type Check = (name: string, value: unknown) => void;

interface Range {
  readonly from: number;
  readonly to: number;
  readonly unit: string;
  readonly max?: boolean;
  readonly fractions?: boolean;
}

const MAX = Number.MAX_SAFE_INTEGER;
const bytes: Range = { from: 0, to: MAX, unit: 'bytes', max: true };
// kernel/sched/core.c: a quota is at least 1 ms (min_cfs_quota_period) and at most 2^44 - 1 µs (max_cfs_runtime).
const quota: Range = { from: 1000, to: 17_592_186_044_415, unit: 'microseconds' };
// linux/cgroup.h: CGROUP_WEIGHT_MIN, CGROUP_WEIGHT_MAX
const weight = number({ from: 1, to: 10_000, unit: 'parts' });
// The runtime-spec's; block/bfq-iosched.h has BFQ_MIN_WEIGHT 1 and BFQ_MAX_WEIGHT 1000.
const blkioWeight = number({ from: 10, to: 1000, unit: 'parts' });
const uint32: Range = { from: 0, to: 4_294_967_295, unit: '' };
// block/blk-throttle.c: 0 would be no limit on v1 and an error on v2; operations are counted in 32 bits.
const bytesPerSecond = number({ from: 1, to: MAX, unit: 'bytes a second', max: true });
const operationsPerSecond = number({ from: 1, to: 4_294_967_295, unit: 'operations a second', max: true });
// kernel/cgroup/rdma.c: more than S32_MAX is none.
const rdmaCount = number({ from: 0, to: 2_147_483_647, unit: '', max: true });

/** Of one disk. */
export const ioDeviceChecks: Readonly<Record<Exclude<keyof IoDevice, 'device'>, Check>> = {
  weight,
  blkioWeight,
  leafWeight: blkioWeight,
  readBytesPerSecond: bytesPerSecond,
  writeBytesPerSecond: bytesPerSecond,
  readOperationsPerSecond: operationsPerSecond,
  writeOperationsPerSecond: operationsPerSecond,
};

/** The ranges that the kernel takes. */
const checks: Readonly<Record<keyof Limits, Check>> = {
  // kernel/cgroup/pids.c: PIDS_MAX is PID_MAX_LIMIT (linux/threads.h) + 1. 0 would keep the first process out, too.
  pids: number({ from: 1, to: 4_194_304, unit: 'processes', max: true }),
  // Less than one page is rounded down to nothing.
  memoryBytes: number({ ...bytes, from: 4096 }),
  swapBytes: number(bytes),
  memoryReservationBytes: number(bytes),
  memoryHighBytes: number(bytes),
  memoryLowBytes: number(bytes),
  memoryMinBytes: number(bytes),
  memorySwappiness: number({ from: 0, to: 200, unit: '' }),
  memoryOomGroup: boolean,
  memoryOomKill: boolean,
  kernelMemoryBytes: number(bytes),
  kernelTcpMemoryBytes: number(bytes),
  memoryUseHierarchy: boolean,
  memoryCheckBeforeUpdate: boolean,
  // The quota of 100 ms.
  cpuCores: number({ from: 0.01, to: 175_921_860, unit: 'processors', max: true, fractions: true }),
  cpuWeight: weight,
  // kernel/sched/sched.h: MIN_SHARES, MAX_SHARES
  cpuShares: number({ from: 2, to: 262_144, unit: 'shares' }),
  cpuQuotaMicroseconds: number({ ...quota, max: true }),
  cpuPeriodMicroseconds: number({ ...quota, to: 1_000_000 }),
  cpuBurstMicroseconds: number({ ...quota, from: 0 }),
  cpuIdle: boolean,
  // kernel/sched/rt.c: max_rt_runtime, 2^44 - 1 ns
  cpuRealtimeRuntimeMicroseconds: number({ from: 0, to: 17_592_186_044, unit: 'microseconds' }),
  cpuRealtimePeriodMicroseconds: number({ from: 1, to: MAX, unit: 'microseconds' }),
  // include/linux/threads.h: NR_CPUS is at most 8192; linux/numa.h: 1 << NODES_SHIFT is at most 1024.
  cpus: list('processors', 8191),
  memoryNodes: list('memory nodes', 1023),
  ioWeight: weight,
  blkioWeight,
  ioLeafWeight: blkioWeight,
  ioDevices,
  hugepages: (name, value) => each(name, value, hugepageSize, number(bytes)),
  rdma: (name, value) => each(name, value, word, rdmaLimit),
  networkClassId: number(uint32),
  networkPriorities: (name, value) => each(name, value, interfaceName, number(uint32)),
  devices: (_, value) => checkDeviceRules(value as NonNullable<Limits['devices']>),
  pressure: boolean,
  misc: (name, value) => each(name, value, word, number({ from: 0, to: MAX, unit: '', max: true })),
  unified: (name, value) => each(name, value, unifiedFile, unifiedValue),
};
const names = Object.keys(checks) as (keyof Limits)[];

/** What each allows by itself, but not beside the other. */
function checkTogether(limits: Limits): void {
  const { cpuCores, cpuPeriodMicroseconds = 100_000, cpuQuotaMicroseconds, cpuBurstMicroseconds, cpuIdle, ioDevices: devices = [] } = limits;
  const pairs = [
    ['cpuCores', 'cpuQuotaMicroseconds'],
    ['cpuWeight', 'cpuShares'],
    ['ioWeight', 'blkioWeight'],
    ['memoryReservationBytes', 'memoryLowBytes'],
  ] as const;
  for (const [one, other] of pairs)
    if (limits[one] !== undefined && limits[other] !== undefined) throw new TypeError(`${one} and ${other} are the same limit: give one of them`);
  for (const { device, weight: own, blkioWeight: old } of devices)
    if (own !== undefined && old !== undefined)
      throw new TypeError(`ioDevices: weight and blkioWeight of ${deviceNumbers(device)} are the same limit: give one of them`);
  const disks = devices.map(({ device }) => deviceNumbers(device));
  const twice = disks.find((disk, i) => disks.indexOf(disk) !== i);
  if (twice !== undefined) throw new TypeError(`ioDevices: the device ${twice} is there twice: say all of one device at once`);
  if (cpuIdle && (limits.cpuWeight ?? limits.cpuShares) !== undefined) throw new TypeError('cpuIdle: an idle group has no weight: give one of both');
  if (typeof cpuCores === 'number' && cpuCores * cpuPeriodMicroseconds < quota.from)
    throw new RangeError(`cpuCores: ${cpuCores} processors in ${cpuPeriodMicroseconds} µs are less than ${quota.from} µs, the least the kernel takes`);
  const quotaGiven = typeof cpuCores === 'number' ? Math.round(cpuCores * cpuPeriodMicroseconds) : cpuQuotaMicroseconds;
  if (typeof quotaGiven === 'number' && cpuBurstMicroseconds !== undefined && cpuBurstMicroseconds > quotaGiven)
    throw new RangeError(`cpuBurstMicroseconds takes 0 to the quota, which is ${quotaGiven} µs: ${cpuBurstMicroseconds} is more`);
  const { cpuRealtimeRuntimeMicroseconds: runtime, cpuRealtimePeriodMicroseconds: period } = limits;
  if (runtime !== undefined && period !== undefined && runtime > period)
    throw new RangeError(`cpuRealtimeRuntimeMicroseconds takes 0 to the period, which is ${period} µs: ${runtime} is more`);
}

/** Checks the numbers of a device. */
export function checkNumbers(name: string, major: unknown, minor: unknown): void {
  // linux/kdev_t.h: 12 bits and 20 bits
  number({ from: 0, to: 4095, unit: '' })(`${name}.major`, major);
  number({ from: 0, to: 1_048_575, unit: '' })(`${name}.minor`, minor);
}

/** `8:0` of a device in either form. */
export function deviceNumbers(device: IoDevice['device']): string {
  return typeof device === 'string' ? device : `${device.major}:${device.minor}`;
}

function number({ from, to, unit, max = false, fractions = false }: Range): Check {
  return (name, value) => {
    if (value === undefined || (max && value === 'max')) return;
    const kind = `${fractions ? 'a number' : 'a whole number'}${unit && ` of ${unit}`}`;
    const wanted = `${name} takes ${kind} from ${from} to ${to}${max ? ", or 'max' for no limit" : ''}`;
    if (typeof value !== 'number') throw new TypeError(`${wanted}: ${quote(value)} is none`);
    if (!(value >= from && value <= to) || !(fractions || Number.isInteger(value))) throw new RangeError(`${wanted}: ${value} is not one`);
  };
}

function boolean(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw new TypeError(`${name} is true or false, not ${quote(value)}`);
}

/** @see cpuset(7), List format */
function list(what: string, to: number): Check {
  return (name, value) => {
    const wanted = `${name} takes a list of ${what} from 0 to ${to}, such as '0-3,5'`;
    if (typeof value !== 'string') throw new TypeError(`${wanted}: ${quote(value)} is none`);
    for (const part of value.split(',')) {
      const [, from, until = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part) ?? [];
      if (from === undefined || Number(until) < Number(from) || Number(until) > to) throw new RangeError(`${wanted}: ${quote(value)} is not one`);
    }
  };
}

function each(name: string, value: unknown, checkKey: (name: string, key: string) => void, checkValue: Check): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`${name} is an object of names and limits, not ${quote(value)}`);
  for (const [key, entry] of Object.entries(value)) {
    checkKey(name, key);
    if (entry === undefined) throw new TypeError(`${name}: ${quote(key)} has no limit`);
    checkValue(`${name}[${quote(key)}]`, entry);
  }
}

/** The names of devices, interfaces and resources stand before a space in a line of their own. */
function word(name: string, key: string): void {
  if (!/^[!-~]{1,255}$/.test(key)) throw new TypeError(`${name}: ${quote(key)} is not a name: letters, digits and signs, without spaces`);
}

/** linux/if.h: IFNAMSIZ is 16, with the NUL behind it. */
function interfaceName(name: string, key: string): void {
  word(name, key);
  if (key.length > 15) throw new TypeError(`${name}: ${quote(key)} is not the name of an interface: it has at most 15 bytes`);
}

/** mm/hugetlb_cgroup.c writes them in the greatest unit they are whole in. */
function hugepageSize(name: string, key: string): void {
  const [, count, unit] = /^([1-9]\d{0,3})(KB|MB|GB)$/.exec(key) ?? [];
  const isPower = count !== undefined && Number.isInteger(Math.log2(Number(count)));
  if (!isPower || (unit !== 'GB' && Number(count) >= 1024))
    throw new RangeError(
      `${name}: ${quote(key)} is not a size of huge pages as the kernel writes it: 64KB, 2MB, 1GB (there are those of /sys/kernel/mm/hugepages)`,
    );
}

const rdmaKeys: readonly (keyof RdmaLimit)[] = ['hcaHandles', 'hcaObjects'];

function rdmaLimit(name: string, value: unknown): void {
  checkOptions(name, value as object, rdmaKeys);
  for (const key of rdmaKeys) rdmaCount(`${name}.${key}`, (value as RdmaLimit)[key]);
  if (rdmaKeys.every((key) => (value as RdmaLimit)[key] === undefined)) throw new TypeError(`${name} takes hcaHandles or hcaObjects: there is neither`);
}

function ioDevices(name: string, value: unknown): void {
  if (!Array.isArray(value)) throw new TypeError(`${name} is an array of devices and their limits, not ${quote(value)}`);
  for (const [i, entry] of [...(value as readonly unknown[])].entries()) ioDevice(`${name}[${i}]`, entry);
}

function ioDevice(name: string, value: unknown): void {
  const keys = Object.keys(ioDeviceChecks) as Exclude<keyof IoDevice, 'device'>[];
  checkOptions(name, value as object, ['device', ...keys]);
  const entry = value as Readonly<Record<string, unknown>>;
  const numbers = deviceOf(`${name}.device`, entry['device']);
  checkNumbers(`${name}.device`, numbers[0], numbers[1]);
  for (const key of keys) ioDeviceChecks[key](`${name}.${key}`, entry[key]);
  if (keys.every((key) => entry[key] === undefined)) throw new TypeError(`${name} has no limit for its device: it takes ${keys.join(', ')}`);
}

function deviceOf(name: string, device: unknown): readonly unknown[] {
  if (typeof device === 'string') {
    const [, major, minor] = /^(\d{1,10}):(\d{1,10})$/.exec(device) ?? [];
    if (major !== undefined) return [Number(major), Number(minor)];
  } else if (typeof device === 'object' && device !== null) {
    checkOptions(name, device, ['major', 'minor']);
    const { major, minor } = device as { readonly major?: unknown; readonly minor?: unknown };
    if (major !== undefined && minor !== undefined) return [major, minor];
  }
  throw new TypeError(`${name} takes the numbers of a disk, such as '8:0' or { major: 8, minor: 0 }, not ${quote(device)}`);
}

function unifiedFile(name: string, key: string): void {
  if (!/^[a-z][a-z0-9_]*(\.[A-Za-z0-9_]+)+$/.test(key) || key.length > 200)
    throw new TypeError(`${name}: ${quote(key)} is not a file of a controller: its name is like memory.high, without a slash`);
  if ((key.startsWith('cgroup.') && !isCoreFile(key)) || key === 'memory.reclaim')
    throw new TypeError(
      `${name}: ${key} is no limit, and is not written here: of the files cgroup.*, there are cgroup.max.depth, cgroup.max.descendants and cgroup.pressure`,
    );
}

function unifiedValue(name: string, value: unknown): void {
  // kernfs takes at most one page.
  if (typeof value !== 'string' || value.trim() === '' || value.includes('\0') || Buffer.byteLength(value) > 4095)
    throw new TypeError(`${name} takes a text of 1 to 4095 bytes, as it is to be written: ${quote(value)} is none`);
}
