import type { Limits } from '../limits.js';
import type { Setting } from '../setting.js';

const hints = { EINVAL: 'this machine has nothing of that name: misc.capacity of the root group lists what it has' };

/** `misc.max`. @see Documentation/admin-guide/cgroup-v2.rst of the kernel, Miscellaneous controller */
export function misc({ misc: limits = {} }: Limits): Setting[] {
  return Object.entries(limits).map(([name, limit]): Setting => ({ file: 'misc.max', value: `${name} ${limit}`, hints }));
}
