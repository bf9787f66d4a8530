// Who is whose child, by /proc.
import { readFileSync } from 'node:fs';

/** The processes whose parent a process is. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
}

/** Of the children of a launcher the one that went into the container; the others are relays, in the pid namespace of the launcher. */
export function programOf(launcher: number): number {
  const [pid = 0] = childrenOf(launcher).filter((child) => /^NSpid:\t\d+\t/m.test(readFileSync(`/proc/${child}/status`, 'latin1')));
  return pid;
}
