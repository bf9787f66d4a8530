import type { Limits } from '../limits.js';
import type { Setting } from '../setting.js';

const hints = {
  EINVAL: 'this machine has not all of these',
  ENODEV: 'this machine has none of these',
  ERANGE: 'this kernel is built for fewer',
  ENOSPC: 'processes are in the group, so something has to be left to them',
};

/** `cpuset.cpus` and `cpuset.mems`. @see Documentation/admin-guide/cgroup-v2.rst of the kernel, Cpuset Interface Files */
export function cpuset({ cpus, memoryNodes }: Limits): Setting[] {
  const settings: Setting[] = [];
  if (cpus !== undefined) settings.push({ file: 'cpuset.cpus', value: cpus, hints });
  if (memoryNodes !== undefined) settings.push({ file: 'cpuset.mems', value: memoryNodes, hints });
  return settings;
}
