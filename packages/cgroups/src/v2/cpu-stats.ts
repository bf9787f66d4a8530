import { keyed, type ReadFile, type Stats, type Usage } from '../counter.js';

/** `cpu.stat`: every group has it, with the controller or without. */
export function cpuUsage(read: ReadFile): Partial<Usage> {
  return { cpuMicroseconds: keyed(read('cpu.stat'), 'usage_usec') };
}

/** The parts of `cpu.stat`. */
export function cpuNow(read: ReadFile): Partial<Stats> {
  const stat = read('cpu.stat');
  return { cpuUserMicroseconds: keyed(stat, 'user_usec'), cpuSystemMicroseconds: keyed(stat, 'system_usec') };
}
