// A pair of network devices that are bound to each other: what any kernel can make that has CONFIG_VETH.
import { spawnSync } from 'node:child_process';

import { busybox } from './launched.js';

/** Makes the devices `veth` and `veth0` in the network namespace of this thread, and says whether the kernel knows of any such. */
export function makesVeth(): boolean {
  const { status, stderr } = spawnSync(busybox, ['ip', 'link', 'add', 'veth', 'type', 'veth'], { encoding: 'utf8' });
  if (status !== 0 && !stderr.includes('not supported')) throw new Error(stderr);
  return status === 0;
}
