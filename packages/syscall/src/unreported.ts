import { readFileSync } from 'node:fs';

import { ended } from './exit.js';
import { forget, isKnown, leaveAlone } from './known-children.js';
import { holdSetUps } from './thread-end.js';

/** Set-ups whose processes may not have reported all of their pids yet. */
let underWay = 0;
let isPutOff = false;

/** Until {@link endSetUp}, nobody can tell a process of this set-up from one that nobody will ever report. */
export function beginSetUp(): void {
  underWay++;
  holdSetUps(true);
}

/** @param pids the processes of the set-up, which somebody waits for, or leaves alone */
export function endSetUp(pids: readonly number[]): void {
  for (const pid of pids) leaveAlone(pid);
  underWay--;
  holdSetUps(underWay > 0);
  if (isPutOff) void waitForUnreported();
}

/** Whether a process of which nobody knows yet may be one of a set-up. */
export function isSettingUp(): boolean {
  return underWay > 0;
}

/**
 * Waits for children that nobody has reported. A process that is killed between clone(2) and its report takes the pid of the new one, which is a child of this process, with it.
 * Where other set-ups are under way, the last one of them does it. Without CONFIG_PROC_CHILDREN in the kernel, such a child stays a zombie.
 *
 * @see proc_pid_task(5): children
 */
export async function waitForUnreported(): Promise<void> {
  isPutOff = underWay > 0;
  if (isPutOff) return;
  await Promise.all(
    unknownChildren()
      .filter(isWalker)
      .map(async (pid) => {
        leaveAlone(pid);
        await ended(pid);
        forget(pid);
      }),
  );
}

/** Children of this thread that are no business of ours, as far as is known; none without CONFIG_PROC_CHILDREN. */
export function unknownChildren(): number[] {
  return readProc('/proc/thread-self/children')
    .split(' ')
    .filter(Boolean)
    .map(Number)
    .filter((pid) => !isKnown(pid));
}

/** Its name is the number of the memfd that it was executed from, until it executes something else. No program that Node has started has such a one. */
export function isWalker(pid: number): boolean {
  return /^\d+ \(\d+\) /.test(readProc(`/proc/${pid}/stat`));
}

/** The text of a file in /proc, which may be gone. */
export function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1').trimEnd();
  } catch {
    return '';
  }
}
