import type { Option } from '../args.js';
import { ValueError } from '../usage-error.js';
import { parseSize } from './size.js';

/** Limits of the container's cgroup. */
export const limitOptions: readonly Option[] = [
  {
    name: 'pids-limit',
    metavar: 'N',
    group: 'Limits',
    help: 'Processes and threads at a time (default: 2048); max or -1: no limit',
    set: ({ limits }, value) => {
      limits.pids = isNoLimit(value) ? 'max' : parseNumber(value, 'a whole number of processes, max or -1 for no limit');
    },
  },
  {
    name: 'memory',
    short: 'm',
    metavar: 'SIZE',
    group: 'Limits',
    help: 'Memory: 64m, 1.5g; without a unit in bytes',
    set: ({ limits }, value) => {
      limits.memoryBytes = isNoLimit(value) ? 'max' : parseSize(value);
    },
  },
  {
    name: 'cpus',
    metavar: 'N',
    group: 'Limits',
    help: 'Time of so many processors: 0.5, 2',
    set: ({ limits }, value) => {
      limits.cpuCores = isNoLimit(value) ? 'max' : parseNumber(value, 'a number of processors, such as 1.5');
    },
  },
  {
    name: 'cgroup-parent',
    metavar: 'PATH',
    group: 'Limits',
    help: "The cgroup above the container's: /PATH from the top, PATH from the caller's (default: /ctr)",
    set: (settings, value) => {
      if (value === '') throw new ValueError('a path, such as /jobs');
      settings.cgroupParent = value;
    },
  },
];

function isNoLimit(text: string): boolean {
  return text === 'max' || text === '-1';
}

function parseNumber(text: string, allowed: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new ValueError(allowed);
  return Number(text);
}
