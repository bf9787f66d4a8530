import type { Limits } from '../limits.js';
import type { Setting } from '../setting.js';

const absent = 'kernels before 6.1, and those that measure no pressure at all (CONFIG_PSI, psi=1), have no such switch';

/** `cgroup.pressure`, which each group has. @see Documentation/admin-guide/cgroup-v2.rst of the kernel, Core Interface Files */
export function pressure({ pressure: measured }: Limits): Setting[] {
  return measured === undefined ? [] : [{ file: 'cgroup.pressure', value: measured ? '1' : '0', absent }];
}
