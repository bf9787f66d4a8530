import { isCoreFile } from './core-files.js';
import { deviceNeeds } from './devices.js';
import { hierarchyOf, type CgroupLayout } from './layout.js';
import type { Limits } from './limits.js';
import { noSuchLimit } from './no-such-limit.js';
import type { ReadNow, Setting } from './setting.js';
import { blkio } from './v1/blkio.js';
import { cpu as cpu1, cpuChange as cpuChange1 } from './v1/cpu.js';
import { cpuset as cpuset1 } from './v1/cpuset.js';
import { hugetlb as hugetlb1 } from './v1/hugetlb.js';
import { memory as memory1, memoryChange as memoryChange1 } from './v1/memory.js';
import { misc as misc1 } from './v1/misc.js';
import { netCls } from './v1/net-cls.js';
import { netPrio } from './v1/net-prio.js';
import { pids as pids1 } from './v1/pids.js';
import { rdma as rdma1 } from './v1/rdma.js';
import { cpu as cpu2, cpuChange as cpuChange2 } from './v2/cpu.js';
import { cpuset as cpuset2 } from './v2/cpuset.js';
import { hugetlb as hugetlb2 } from './v2/hugetlb.js';
import { io } from './v2/io.js';
import { memory as memory2, memoryChange as memoryChange2 } from './v2/memory.js';
import { misc as misc2 } from './v2/misc.js';
import { pids as pids2 } from './v2/pids.js';
import { pressure } from './v2/pressure.js';
import { rdma as rdma2 } from './v2/rdma.js';

/** A directory of a group, and the controllers that limit there. */
export interface Limited {
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
}

/** What limits need. */
export interface LimitNeeds {
  readonly controllers: readonly string[];
  /** Whether the files are needed that each group of version 2 has, without any controller. */
  readonly unified: boolean;
}

type Settings = (limits: Limits) => Setting[];

/** What each controller writes to a new group. */
const settings: Readonly<Record<1 | 2, Readonly<Record<string, Settings>>>> = {
  1: {
    pids: pids1,
    memory: memory1,
    cpu: cpu1,
    cpuset: cpuset1,
    blkio,
    hugetlb: hugetlb1,
    rdma: rdma1,
    misc: misc1,
    net_cls: netCls,
    net_prio: netPrio,
  },
  2: { pids: pids2, memory: memory2, cpu: cpu2, cpuset: cpuset2, io, hugetlb: hugetlb2, rdma: rdma2, misc: misc2 },
};

/** What those write otherwise to a group that is there: in another order, or more, depending on what is set. */
const changes: Readonly<Record<1 | 2, Readonly<Record<string, (limits: Limits, read: ReadNow) => Setting[]>>>> = {
  1: { memory: memoryChange1, cpu: cpuChange1 },
  2: { memory: memoryChange2, cpu: cpuChange2 },
};

/** A controller by its name on each version. */
export interface Controller {
  readonly 1: string;
  readonly 2: string;
}

const [memory, cpu, cpuset, io_] = [both('memory'), both('cpu'), both('cpuset'), { 1: 'blkio', 2: 'io' }];

/** Which controller each limit is of. */
const controllerOf: Readonly<Record<Exclude<keyof Limits, 'pressure' | 'unified' | 'devices'>, Controller>> = {
  pids: both('pids'),
  memoryBytes: memory,
  swapBytes: memory,
  memoryReservationBytes: memory,
  memoryHighBytes: memory,
  memoryLowBytes: memory,
  memoryMinBytes: memory,
  memorySwappiness: memory,
  memoryOomGroup: memory,
  memoryOomKill: memory,
  kernelMemoryBytes: memory,
  kernelTcpMemoryBytes: memory,
  memoryUseHierarchy: memory,
  memoryCheckBeforeUpdate: memory,
  cpuCores: cpu,
  cpuWeight: cpu,
  cpuShares: cpu,
  cpuQuotaMicroseconds: cpu,
  cpuPeriodMicroseconds: cpu,
  cpuBurstMicroseconds: cpu,
  cpuIdle: cpu,
  cpuRealtimeRuntimeMicroseconds: cpu,
  cpuRealtimePeriodMicroseconds: cpu,
  cpus: cpuset,
  memoryNodes: cpuset,
  ioWeight: io_,
  blkioWeight: io_,
  ioLeafWeight: io_,
  ioDevices: io_,
  hugepages: both('hugetlb'),
  rdma: both('rdma'),
  networkClassId: both('net_cls'),
  networkPriorities: both('net_prio'),
  misc: both('misc'),
};

/** What these limits need here. Throws a {@link CgroupError} of kind `no-such-limit` for one that cannot be had. */
export function limitNeeds(limits: Limits, layout: CgroupLayout): LimitNeeds {
  checkUnified(limits, layout);
  const files = Object.keys(limits.unified ?? {});
  const names = new Set(files.filter((file) => !isCoreFile(file)).map(controllerOfFile));
  const written = new Set(names);
  for (const controller of namesOf(limits)) names.add(nameHere(controller, layout));
  const controllers = [...names].filter((name) => {
    const version = hierarchyOf(layout, name)?.version;
    if (layout.mode === 'v2' && version === undefined) checkNetwork(name);
    // What has no place here is told by what looks for one; and what holds without being written needs none.
    return version === undefined || written.has(name) || settingsOf(name, version, limits).length > 0;
  });
  const devices = limits.devices && deviceNeeds(layout);
  return {
    controllers: [...controllers, ...(devices?.controllers ?? [])],
    unified: devices?.unified === true || limits.pressure !== undefined || files.some(isCoreFile),
  };
}

/** The controllers that limits are of, each by its names on both versions. Files of `unified` are of version 2. */
export function namesOf(limits: Limits): Controller[] {
  const given = (Object.entries(controllerOf) as [keyof typeof controllerOf, Controller][]).filter(([limit]) => limits[limit] !== undefined);
  return [...new Map(given.map(([, controller]) => [controller[1], controller])).values()];
}

/** Whether something is to be written that only a directory of version 2 has. */
export function needsUnified({ pressure: measured, unified }: Limits): boolean {
  return measured !== undefined || Object.keys(unified ?? {}).length > 0;
}

/** What is written to a new group, in one of its directories. */
export function settingsAt({ version, controllers }: Limited, limits: Limits): Setting[] {
  return [...controllers.flatMap((name) => settingsOf(name, version, limits)), ...(version === 2 ? forAll(limits) : [])];
}

/** What is written to a group that is there, in one of its directories. */
export function changesAt({ version, controllers }: Limited, limits: Limits, read: ReadNow): Setting[] {
  const written = controllers.flatMap((name) => changes[version][name]?.(limits, read) ?? settingsOf(name, version, limits));
  return [...written, ...(version === 2 ? forAll(limits) : [])];
}

/** The controller that a file of version 2 belongs to. */
function controllerOfFile(file: string): string {
  return file.slice(0, file.indexOf('.'));
}

function both(name: string): Controller {
  return { 1: name, 2: name };
}

/** What one controller writes to a new group. */
function settingsOf(name: string, version: 1 | 2, limits: Limits): Setting[] {
  return settings[version][name]?.(limits) ?? [];
}

/** What is written last of all on version 2. */
function forAll(limits: Limits): Setting[] {
  const given = Object.entries(limits.unified ?? {}).map(([file, value]): Setting => ({ file, value }));
  return [...pressure(limits), ...given];
}

/** What the controller of block devices is called here. */
export function ioHere(layout: CgroupLayout): string {
  return nameHere(io_, layout);
}

function nameHere(controller: Controller, layout: CgroupLayout): string {
  if (hierarchyOf(layout, controller[2])?.version === 2) return controller[2];
  return hierarchyOf(layout, controller[1]) || layout.mode !== 'v2' ? controller[1] : controller[2];
}

function checkUnified({ pressure: measured, unified }: Limits, layout: CgroupLayout): void {
  if (layout.mode === 'v1') {
    if (measured !== undefined) throw noSuchLimit('pressure', 1, 'only version 2 measures for how long a group waits');
    if (unified) throw noSuchLimit('unified', 1, 'its files are those of version 2');
  }
  for (const file of Object.keys(unified ?? {})) {
    const hierarchy = isCoreFile(file)
      ? undefined
      : hierarchyOf(layout, nameHere({ ...both(controllerOfFile(file)), ...(file.startsWith('io.') && io_) }, layout));
    if (hierarchy?.version === 1)
      throw noSuchLimit('unified', 1, `${file} is a file of version 2, and ${hierarchy.controllers.join(', ')} is mounted as version 1 at ${hierarchy.mount}`);
  }
}

function checkNetwork(name: string): void {
  if (name !== 'net_cls' && name !== 'net_prio') return;
  throw noSuchLimit(name === 'net_cls' ? 'networkClassId' : 'networkPriorities', 2, 'nftables(8) can match the group itself there (socket cgroupv2)');
}
