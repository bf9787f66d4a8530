import { list, map, object, text, type Schema } from '../schema/schema.js';
import { notEmpty } from '../schema/texts.js';
import { blockIo, type LinuxBlockIo } from './block-io.js';
import { cpu, type LinuxCpu } from './cpu.js';
import { deviceRule, type LinuxDeviceRule } from './device-rule.js';
import { hugepageLimits, type LinuxHugepageLimit } from './hugepage-limits.js';
import { memory, type LinuxMemory } from './memory.js';
import { network, type LinuxNetwork } from './network.js';
import { pids, type LinuxPids } from './pids.js';
import { rdma, type LinuxRdma } from './rdma.js';

/** The limits of a container, which its control groups keep. Also what `update` takes. */
export interface LinuxResources {
  /** Which devices may be used: applied in this order, so that the last that is about a device counts. */
  readonly devices?: readonly LinuxDeviceRule[];
  readonly memory?: LinuxMemory;
  readonly cpu?: LinuxCpu;
  readonly pids?: LinuxPids;
  readonly blockIO?: LinuxBlockIo;
  readonly hugepageLimits?: readonly LinuxHugepageLimit[];
  readonly network?: LinuxNetwork;
  /** By the name of the device. */
  readonly rdma?: Readonly<Record<string, LinuxRdma>>;
  /** What is written to files of cgroups v2, by their names: `{ "io.max": "8:0 wbps=1048576" }`. 1.1 */
  readonly unified?: Readonly<Record<string, string>>;
}

function unifiedFile(name: string): string | undefined {
  if (name.includes('/')) return 'the name of a file, without /';
  return /^[a-z][a-z0-9_]*\.[^\s]+$/.test(name) && !name.startsWith('cgroup.') ? undefined : 'the name of a file of a controller, such as memory.high';
}

export const resources: Schema<LinuxResources> = object<LinuxResources>({
  devices: list(deviceRule),
  memory,
  cpu,
  pids,
  blockIO: blockIo,
  hugepageLimits,
  network,
  rdma: map(rdma, notEmpty),
  unified: { ...map(text(), unifiedFile), since: '1.1' },
});
