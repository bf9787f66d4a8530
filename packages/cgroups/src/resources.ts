import { quote } from '@ctr/syscall';
import { checkLimit, checkLimits, checkNumbers, ioDeviceChecks } from './check-limits.js';
import type { IoDevice, Limits } from './limits.js';
import { rulesOf } from './resource-devices.js';
import type { LinuxBlockIO, LinuxCpu, LinuxMemory, LinuxResources } from './linux-resources.js';

/**
 * The limits that `linux.resources` of an OCI runtime's configuration asks for, with the meaning that runc and crun give to its values: -1 is no limit, 0 (but for `pids.limit`,
 * `cpu.burst`, `memory.swappiness` and hugepages) is nothing that is asked for, `memory.swap` is memory and swap together. Properties that are not known say nothing.
 *
 * Throws a `RangeError` or `TypeError` that names the path of the value, such as `linux.resources.memory.limit`.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#control-groups
 * @example
 * ```ts
 * import { limitsOfResources } from '@ctr/cgroups';
 * limitsOfResources({ memory: { limit: 64 * 2 ** 20, swap: -1 }, pids: { limit: 20 } }); // { memoryBytes: 67108864, swapBytes: 'max', pids: 20 }
 * ```
 */
export function limitsOfResources(resources: LinuxResources): Limits {
  const { devices, memory, cpu, pids, blockIO, hugepageLimits, network, rdma, unified } = section(ROOT, resources);
  const limits: Mutable = {};
  take(limits, `${ROOT}.memory`, memory, memoryFields);
  takeSwap(limits, memory);
  take(limits, `${ROOT}.cpu`, cpu, cpuFields);
  take(limits, `${ROOT}.pids`, pids, { limit: ['pids', (value) => (typeof value === 'number' && value < 0 ? 'max' : value === 0 ? 1 : value)] });
  take(limits, `${ROOT}.blockIO`, blockIO, { weight: ['blkioWeight', unlessZero], leafWeight: ['ioLeafWeight', unlessZero] });
  takeDevices(limits, blockIO);
  takeEach(limits, 'hugepages', `${ROOT}.hugepageLimits`, hugepageLimits, (entry) => [entry.pageSize, amount(plain(entry.limit))]);
  take(limits, `${ROOT}.network`, network, { classID: ['networkClassId', unlessZero] });
  takeEach(limits, 'networkPriorities', `${ROOT}.network.priorities`, network?.priorities, ({ name, priority }) => [name, priority]);
  if (devices !== undefined) limits.devices = rulesOf(entries(`${ROOT}.devices`, devices));
  if (rdma !== undefined) put(limits, `${ROOT}.rdma`, 'rdma', rdma);
  if (unified !== undefined) put(limits, `${ROOT}.unified`, 'unified', unified);
  try {
    checkLimits(limits);
  } catch (error) {
    // What each of them allows alone: the path of no single value.
    if (error instanceof RangeError) throw new RangeError(`${ROOT}: ${error.message}`);
    throw error instanceof TypeError ? new TypeError(`${ROOT}: ${error.message}`) : error;
  }
  return limits;
}

const ROOT = 'linux.resources';

type Mutable = { -readonly [K in keyof Limits]: Limits[K] };
/** What a value means as a limit; `undefined` for nothing. */
type Meaning = (value: unknown) => unknown;
type Fields<T> = Readonly<Partial<Record<keyof T, readonly [limit: keyof Limits, meaning: Meaning]>>>;

const memoryFields: Fields<LinuxMemory> = {
  limit: ['memoryBytes', unlessZeroAmount],
  reservation: ['memoryReservationBytes', unlessZeroAmount],
  kernel: ['kernelMemoryBytes', unlessZeroAmount],
  kernelTCP: ['kernelTcpMemoryBytes', unlessZeroAmount],
  swappiness: ['memorySwappiness', asIs],
  // Nothing is asked for by false, which stands in each configuration that docker writes.
  disableOOMKiller: ['memoryOomKill', (value) => (typeof value === 'boolean' ? (value ? false : undefined) : value)],
  useHierarchy: ['memoryUseHierarchy', asIs],
  checkBeforeUpdate: ['memoryCheckBeforeUpdate', asIs],
};

const cpuFields: Fields<LinuxCpu> = {
  shares: ['cpuShares', unlessZero],
  quota: ['cpuQuotaMicroseconds', unlessZeroAmount],
  period: ['cpuPeriodMicroseconds', unlessZero],
  burst: ['cpuBurstMicroseconds', asIs],
  realtimeRuntime: ['cpuRealtimeRuntimeMicroseconds', unlessZero],
  realtimePeriod: ['cpuRealtimePeriodMicroseconds', unlessZero],
  cpus: ['cpus', unlessEmpty],
  mems: ['memoryNodes', unlessEmpty],
  idle: ['cpuIdle', idle],
};

const throttles = [
  ['throttleReadBpsDevice', 'readBytesPerSecond'],
  ['throttleWriteBpsDevice', 'writeBytesPerSecond'],
  ['throttleReadIOPSDevice', 'readOperationsPerSecond'],
  ['throttleWriteIOPSDevice', 'writeOperationsPerSecond'],
] as const satisfies readonly (readonly [keyof LinuxBlockIO, keyof IoDevice])[];

function take<T extends object>(limits: Mutable, path: string, given: T | undefined, fields: Fields<T>): void {
  const values: Partial<Record<keyof T, unknown>> = given === undefined ? {} : section(path, given);
  for (const [field, [limit, meaning]] of Object.entries(fields) as [keyof T & string, readonly [keyof Limits, Meaning]][]) {
    const value = values[field] === undefined ? undefined : meaning(plain(values[field]));
    if (value !== undefined) put(limits, `${path}.${field}`, limit, value);
  }
}

function put(limits: Mutable, path: string, limit: keyof Limits, value: unknown): void {
  checkLimit(path, limit, value);
  Object.assign(limits, { [limit]: value });
}

/** Memory and swap together become swap alone. */
function takeSwap(limits: Mutable, memory: LinuxMemory | undefined): void {
  const path = `${ROOT}.memory.swap`;
  const total = memory?.swap === undefined ? undefined : unlessZeroAmount(plain(memory.swap));
  const { memoryBytes } = limits;
  // Who lifts the limit of memory, and says nothing of swap, means both.
  if (total === undefined && memoryBytes === 'max') return put(limits, path, 'swapBytes', 'max');
  if (total === undefined) return;
  checkLimit(path, 'swapBytes', total);
  if (total === 'max' || memoryBytes === 'max') return put(limits, path, 'swapBytes', total);
  if (memoryBytes === undefined) throw new TypeError(`${path} is memory and swap together, so it takes ${ROOT}.memory.limit beside it`);
  if (Number(total) < memoryBytes) throw new RangeError(`${path} is memory and swap together: ${String(total)} is less than the memory alone, ${memoryBytes}`);
  put(limits, path, 'swapBytes', Number(total) - memoryBytes);
}

/** What is said of one disk in several lists comes together. */
function takeDevices(limits: Mutable, blockIO: LinuxBlockIO | undefined): void {
  const disks = new Map<string, MutableDevice>();
  const add = (path: string, major: unknown, minor: unknown, limit: keyof typeof ioDeviceChecks, value: unknown): void => {
    checkNumbers(path, major, minor);
    if (value === undefined) return;
    const device = `${String(major)}:${String(minor)}`;
    const disk = disks.get(device) ?? { device };
    disks.set(device, Object.assign(disk, { [limit]: value }));
  };
  for (const [path, { major, minor, weight, leafWeight }] of entries(`${ROOT}.blockIO.weightDevice`, blockIO?.weightDevice)) {
    for (const [field, limit, value] of [
      ['weight', 'blkioWeight', unlessZero(weight)] as const,
      ['leafWeight', 'leafWeight', unlessZero(leafWeight)] as const,
    ]) {
      ioDeviceChecks[limit](`${path}.${field}`, value);
      add(path, major, minor, limit, value);
    }
  }
  for (const [list, limit] of throttles) {
    for (const [path, { major, minor, rate }] of entries(`${ROOT}.blockIO.${list}`, blockIO?.[list])) {
      if (rate === undefined) throw new TypeError(`${path}.rate is missing`);
      // On version 1 a rate of 0 is how a limit is lifted.
      const value = plain(rate) === 0 ? 'max' : amount(plain(rate));
      ioDeviceChecks[limit](`${path}.rate`, value);
      add(path, major, minor, limit, value);
    }
  }
  if (disks.size > 0) limits.ioDevices = [...disks.values()];
}

type MutableDevice = { -readonly [K in keyof IoDevice]: IoDevice[K] };

/** A list of names and values becomes an object of them. */
function takeEach<T extends object>(
  limits: Mutable,
  limit: 'hugepages' | 'networkPriorities',
  path: string,
  given: readonly T[] | undefined,
  read: (entry: T) => readonly [name: unknown, value: unknown],
): void {
  const all: Record<string, unknown> = {};
  for (const [at, entry] of entries(path, given)) {
    const [name, value] = read(entry);
    if (typeof name !== 'string') throw new TypeError(`${at}: its name is ${quote(name)}, not a text`);
    checkLimit(at, limit, { [name]: value });
    all[name] = value;
  }
  if (Object.keys(all).length > 0) put(limits, path, limit, all);
}

function entries<T extends object>(path: string, list: readonly T[] | undefined): [path: string, entry: T][] {
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw new TypeError(`${path} is a list, not ${quote(list)}`);
  return list.map((entry: T, i) => [`${path}[${i}]`, section(`${path}[${i}]`, entry)]);
}

function section<T extends object>(path: string, value: T): T {
  if (typeof value !== 'object' || (value as unknown) === null || Array.isArray(value)) throw new TypeError(`${path} is an object, not ${quote(value)}`);
  return value;
}

/** What a bigint says, as a number: those that are rounded are more than any limit takes. */
function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

function asIs(value: unknown): unknown {
  return value;
}

function unlessZero(value: unknown): unknown {
  return value === 0 ? undefined : value;
}

function idle(value: unknown): boolean {
  if (value !== 0 && value !== 1) throw new RangeError(`${ROOT}.cpu.idle is 0 or 1, not ${quote(value)}`);
  return value === 1;
}

function unlessEmpty(value: unknown): unknown {
  return value === '' ? undefined : value;
}

function unlessZeroAmount(value: unknown): unknown {
  return value === 0 ? undefined : value === -1 ? 'max' : amount(value);
}

/** The greatest numbers of 63 and of 64 bits stand for no limit; as a number of JavaScript each is a little more. */
function amount(value: unknown): unknown {
  return typeof value === 'number' && value >= 2 ** 63 ? 'max' : value;
}
