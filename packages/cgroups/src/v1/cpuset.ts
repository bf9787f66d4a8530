import type { Limits } from '../limits.js';
import type { Setting } from '../setting.js';

const hints = {
  EACCES: 'the group above has not all of these: it can pass on only what it has',
  EINVAL: 'this machine, or the group above, has not all of these',
  ENODEV: 'this machine has none of these',
  ERANGE: 'this kernel is built for fewer',
  ENOSPC: 'processes are in the group, so something has to be left to them',
  EBUSY: 'a group below uses what would be taken away',
};

/** `cpuset.cpus` and `cpuset.mems`. @see Documentation/admin-guide/cgroup-v1/cpusets.rst of the kernel */
export function cpuset({ cpus, memoryNodes }: Limits): Setting[] {
  const settings: Setting[] = [];
  if (cpus !== undefined) settings.push({ file: 'cpuset.cpus', value: cpus, hints });
  if (memoryNodes !== undefined) settings.push({ file: 'cpuset.mems', value: memoryNodes, hints });
  return settings;
}
