import { readFileSync } from 'node:fs';

import { members } from './members.js';

/** What keeps a group from ending, in words: its processes, the state of each and, for one that waits in the kernel (D), the place there that wchan names. */
export function stillRunning(directories: readonly string[]): string {
  const where = directories.join(', ');
  const pids = [...new Set(directories.flatMap(members))];
  if (pids.length === 0) return `${where}: no process is left in it, but the kernel still holds it`;
  return `${where}: ${pids.length} of its processes do not end:\n${pids.map(describe).join('\n')}\na process in state D ends when what it waits for does (a disk, a network file system)`;
}

function describe(pid: number): string {
  const stat = readProc(pid, 'stat') ?? `${pid} (gone) ?`;
  const end = stat.lastIndexOf(')');
  const name = stat.slice(stat.indexOf('('), end + 1);
  const where = readProc(pid, 'wchan');
  return `  ${pid} ${name} in state ${stat.charAt(end + 2)}${where && where !== '0' ? `, waits in ${where}` : ''}`;
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return undefined;
  }
}
