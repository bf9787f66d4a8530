import { keyed, type ReadFile, type Stats, type Usage } from '../counter.js';
import type { Limits, Setting } from '../limits.js';

const PERIOD_MICROSECONDS = 100_000;

/** `cpu.max` and `cpu.weight`. @see Documentation/admin-guide/cgroup-v2.rst of the kernel, CPU Interface Files */
export function cpu({ cpuCores, cpuWeight }: Limits): Setting[] {
  const settings: Setting[] = [];
  if (cpuCores !== undefined)
    settings.push({ file: 'cpu.max', value: `${cpuCores === 'max' ? 'max' : Math.round(cpuCores * PERIOD_MICROSECONDS)} ${PERIOD_MICROSECONDS}` });
  if (cpuWeight !== undefined) settings.push({ file: 'cpu.weight', value: String(cpuWeight) });
  return settings;
}

/** `cpu.stat`: every group has it, with the controller or without. */
export function cpuUsage(read: ReadFile): Partial<Usage> {
  return { cpuMicroseconds: keyed(read('cpu.stat'), 'usage_usec') };
}

/** The parts of `cpu.stat`. */
export function cpuNow(read: ReadFile): Partial<Stats> {
  const stat = read('cpu.stat');
  return { cpuUserMicroseconds: keyed(stat, 'user_usec'), cpuSystemMicroseconds: keyed(stat, 'system_usec') };
}
