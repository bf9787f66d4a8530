import { readFileSync } from 'node:fs';

import { groupAt, type Place } from '@ctr/cgroups';
import { signals } from '@ctr/syscall';

import { identityOf, isAlive } from './identity.js';

/** The processes of a group that run on: not those that are about to end, as all are that were sent SIGKILL. */
export function runningIn(places: readonly Place[]): number[] {
  if (places.length === 0) return [];
  return groupAt(places)
    .pids()
    .filter((pid) => {
      const identity = identityOf(pid);
      return identity !== undefined && isAlive(identity) && !isKilled(pid);
    });
}

/** SigPnd is the first thread's own, in which the kernel notes SIGKILL for each thread; ShdPnd the process's. @see proc_pid_status(5) */
function isKilled(pid: number): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'latin1');
    return [...text.matchAll(/^(?:SigPnd|ShdPnd):\t([0-9a-f]+)$/gm)].some(([, set]) => ((BigInt(`0x${set}`) >> BigInt(signals.SIGKILL - 1)) & 1n) === 1n);
  } catch {
    return true;
  }
}
