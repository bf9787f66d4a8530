import type { Limits, Setting } from '../limits.js';

/** `memory.limit_in_bytes`. @see Documentation/admin-guide/cgroup-v1/memory.rst of the kernel */
export function memory({ memoryBytes }: Limits): Setting[] {
  return memoryBytes === undefined ? [] : [{ file: 'memory.limit_in_bytes', value: memoryBytes === 'max' ? '-1' : String(memoryBytes) }];
}
