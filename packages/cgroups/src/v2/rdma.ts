import type { Limits } from '../limits.js';
import type { Setting } from '../setting.js';

const hints = { ENODEV: 'there is no RDMA device of that name: those of /sys/class/infiniband are there' };

/** `rdma.max`. @see Documentation/admin-guide/cgroup-v2.rst of the kernel, RDMA Interface Files */
export function rdma({ rdma: devices = {} }: Limits): Setting[] {
  return Object.entries(devices).map(([name, { hcaHandles, hcaObjects }]): Setting => {
    const limits = [...(hcaHandles === undefined ? [] : [`hca_handle=${hcaHandles}`]), ...(hcaObjects === undefined ? [] : [`hca_object=${hcaObjects}`])];
    return { file: 'rdma.max', value: `${name} ${limits.join(' ')}`, hints };
  });
}
