import { readFileSync } from 'node:fs';

import { call, Fd } from '@ctr/syscall';

/** A process that cannot be taken for a later one of the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** In clock ticks since the machine has started. */
  readonly startTime: string;
}

/** linux/sched.h */
const PF_EXITING = 0x4;

/** Which process has a pid now; `undefined` if none has, or one that has ended already. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const stat = statOf(pid);
  return stat && !stat.hasEnded ? { pid, startTime: stat.startTime } : undefined;
}

/** Whether it runs: one that has ended is no more, though its parent may not have waited for it yet, and so is one that has begun to end. */
export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  const stat = statOf(pid);
  return stat?.startTime === startTime && !stat.isEnding;
}

/** A pidfd of it, which the caller closes; `undefined` if it has ended. */
export function openProcess(identity: ProcessIdentity): Fd | undefined {
  const number = call({ call: 'pidfd_open', args: [identity.pid, 0], purpose: `hold on to process ${identity.pid}`, tolerates: ['ESRCH', 'EINVAL'] });
  if (number < 0) return undefined;
  const pidfd = new Fd(number, `process ${identity.pid}`);
  // The pid may have been another's when it was opened: only now it cannot change hands any more.
  if (identityOf(identity.pid)?.startTime === identity.startTime) return pidfd;
  pidfd.close();
  return undefined;
}

/**
 * 42 (sh) S 1 ... : the name may have any character in it, parentheses too; field 3 is the state, 9 the flags, 20 the number of threads, 22 the start time.
 * The first thread of a program may end before the others: then it is a zombie, and the program runs.
 *
 * @see proc_pid_stat(5)
 */
function statOf(pid: number): { readonly isEnding: boolean; readonly hasEnded: boolean; readonly startTime: string } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): string => fields[number - 3] ?? '';
  const isAlone = Number(field(20)) <= 1;
  return {
    isEnding: isAlone && (Number(field(9)) & PF_EXITING) !== 0,
    hasEnded: isAlone && (field(3) === 'Z' || field(3) === 'X'),
    startTime: field(22),
  };
}
