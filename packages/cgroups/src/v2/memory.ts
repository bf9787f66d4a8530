import type { Limits, Setting } from '../limits.js';

/** `memory.max`. @see Documentation/admin-guide/cgroup-v2.rst of the kernel, Memory Interface Files */
export function memory({ memoryBytes }: Limits): Setting[] {
  return memoryBytes === undefined ? [] : [{ file: 'memory.max', value: String(memoryBytes) }];
}
