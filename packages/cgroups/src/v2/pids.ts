import type { Limits } from '../limits.js';
import type { Setting } from '../setting.js';

/** `pids.max`. @see Documentation/admin-guide/cgroup-v2.rst of the kernel, PID Interface Files */
export function pids({ pids: max }: Limits): Setting[] {
  return max === undefined ? [] : [{ file: 'pids.max', value: String(max) }];
}
