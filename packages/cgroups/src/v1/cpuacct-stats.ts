import { number, type ReadFile, type Stats, type Usage } from '../counter.js';

/** `cpuacct.usage`. @see Documentation/admin-guide/cgroup-v1/cpuacct.rst of the kernel */
export function cpuacctUsage(read: ReadFile): Partial<Usage> {
  return { cpuMicroseconds: microseconds(read('cpuacct.usage')) };
}

/** `cpuacct.usage_user` and `cpuacct.usage_sys`. */
export function cpuacctNow(read: ReadFile): Partial<Stats> {
  return { cpuUserMicroseconds: microseconds(read('cpuacct.usage_user')), cpuSystemMicroseconds: microseconds(read('cpuacct.usage_sys')) };
}

/** The files count nanoseconds. */
function microseconds(text: string | undefined): number | undefined {
  const nanoseconds = number(text);
  return nanoseconds === undefined ? undefined : Math.round(nanoseconds / 1000);
}
