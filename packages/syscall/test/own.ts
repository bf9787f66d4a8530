// What the process of the tests has: open files and children.
import { readdirSync, readFileSync } from 'node:fs';

/** The files that this process has open, but for those of the event loop and of this reading. */
export function openFiles(): string[] {
  return readdirSync('/proc/self/fd');
}

/** The processes whose parent is this one, zombies among them: their pid, name and state. */
export function children(): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const [, name = '', state = '', parent] = /^\d+ \((.*)\) (\S) (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
      if (parent === String(process.pid)) found.push(`${pid} ${name} ${state}`);
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}
