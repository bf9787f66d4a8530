import type { Limits } from '../limits.js';
import type { Setting } from '../setting.js';

/** `pids.max`. @see Documentation/admin-guide/cgroup-v1/pids.rst of the kernel */
export function pids({ pids: max }: Limits): Setting[] {
  return max === undefined ? [] : [{ file: 'pids.max', value: String(max) }];
}
