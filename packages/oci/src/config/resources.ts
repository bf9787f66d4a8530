import type { LinuxResources } from '@ctr/cgroups';

import { atMost, list, map, object, since, text, type Schema } from '../schema/schema.js';
import { notEmpty } from '../schema/texts.js';
import { blockIo } from './block-io.js';
import { cpu } from './cpu.js';
import { deviceRule } from './device-rule.js';
import { hugepageLimits } from './hugepage-limits.js';
import { memory } from './memory.js';
import { network } from './network.js';
import { pids } from './pids.js';
import { rdma } from './rdma.js';

function unifiedFile(name: string): string | undefined {
  if (name.includes('/')) return 'the name of a file, without /';
  return /^[a-z][a-z0-9_]*\.[^\s]+$/.test(name) && !name.startsWith('cgroup.') ? undefined : 'the name of a file of a controller, such as memory.high';
}

export const resources: Schema<LinuxResources> = object<LinuxResources>({
  devices: atMost(4096, list(deviceRule)),
  memory,
  cpu,
  pids,
  blockIO: blockIo,
  hugepageLimits,
  network,
  rdma: map(rdma, notEmpty),
  unified: since('1.1', atMost(1024, map(text(), unifiedFile))),
});
