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
