import { readFileSync } from 'node:fs';

import { call, Fd } from '@ctr/syscall';

/** A process that cannot be taken for a later one of the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** In clock ticks since the machine has started. */
  readonly startTime: string;
}

/** Which process has a pid now; `undefined` if none has, or one that has ended already. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const stat = statOf(pid);
  return stat && !stat.hasEnded ? { pid, startTime: stat.startTime } : undefined;
}

/** Whether it runs: one that has ended is no more, though its parent may not have waited for it yet. */
export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  return identityOf(pid)?.startTime === startTime;
}

/** A pidfd of it, which the caller closes; `undefined` if it has ended. */
export function openProcess(identity: ProcessIdentity): Fd | undefined {
  const number = call({ call: 'pidfd_open', args: [identity.pid, 0], purpose: `hold on to process ${identity.pid}`, tolerates: ['ESRCH', 'EINVAL'] });
  if (number < 0) return undefined;
  const pidfd = new Fd(number, `process ${identity.pid}`);
  // The pid may have been another's when it was opened: only now it cannot change hands any more.
  if (isAlive(identity)) return pidfd;
  pidfd.close();
  return undefined;
}

/**
 * 42 (sh) S 1 ... : the name may have any character in it, parentheses too; field 3 is the state, field 22 the start time.
 *
 * @see proc_pid_stat(5)
 */
function statOf(pid: number): { readonly hasEnded: boolean; readonly startTime: string } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { hasEnded: fields[0] === 'Z' || fields[0] === 'X', startTime: fields[19] ?? '' };
}
