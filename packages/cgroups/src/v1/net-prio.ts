import type { Limits } from '../limits.js';
import type { Setting } from '../setting.js';

const hints = { ENODEV: 'there is no interface of that name in the network namespace of this process' };

/** `net_prio.ifpriomap`, one interface at a time. @see Documentation/admin-guide/cgroup-v1/net_prio.rst of the kernel */
export function netPrio({ networkPriorities = {} }: Limits): Setting[] {
  return Object.entries(networkPriorities).map(([name, priority]): Setting => ({ file: 'net_prio.ifpriomap', value: `${name} ${priority}`, hints }));
}
