import { dieWithHost, label, Memory, prctlOptions, resultOf, signals, type ResultOf, type Step } from '@ctr/syscall';

import { endAs, holdSignals, releaseSignals, supervise } from './supervise.js';

/** How an init process is made. */
export interface InitOptions {
  readonly subreaper: boolean;
  readonly register: readonly Step[];
  readonly kept: readonly number[];
}

/**
 * The container's first process stays with the plan: it makes the process that the program runs in, passes signals on to it, reaps every orphan,
 * and ends as the program does (128 + n for signal n). What follows these steps goes on in the new process.
 *
 * @param subreaper where the pid namespace is not the container's own: its end does not end the program then, which is tied to it instead
 * @param register how the program registers with the keeper, where this process does not: the tie of its own (`dieWithHost`) is one that nothing but itself could undo
 * @param kept the files that are needed for that
 * @see pid_namespaces(7): orphans become children of the namespace's first process, which has to reap them
 */
export function init({ subreaper, register, kept }: InitOptions): Step[] {
  const status = new Memory(16, 'status');
  const program = label('the process of the program');
  const own: Step = { call: 'getpid', args: [], purpose: 'the process that the program is tied to', as: 'init' };
  const fork: Step = {
    call: 'clone',
    args: [signals.SIGCHLD, 0, null, null, null],
    purpose: 'a process for the program',
    as: 'program',
    jump: { when: '==', to: program },
  };
  const adopt: Step = { call: 'prctl', args: [prctlOptions.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0], purpose: 'orphans come to this process' };
  return [
    ...(subreaper ? [adopt, own] : []),
    holdSignals(),
    // Its memory has the plan in it, with paths of the host. In the new process that ends with execve.
    { call: 'prctl', args: [prctlOptions.PR_SET_DUMPABLE, 0, 0, 0, 0], purpose: 'the program cannot look into this process' },
    fork,
    // A program that is root could go by /proc/1/fd to whatever this process has open: directories of the host.
    { call: 'close_range', args: [3, 0xffffffff, 0], purpose: 'the set-up, and its reports, go on in the program alone' },
    ...supervise(resultOf(fork), status),
    ...endAs(status),
    program,
    releaseSignals(),
    // The end of a pid namespace's first process ends all others; in any other namespace the program has to be tied to this one.
    ...(subreaper ? [...dieWithHost(), ...endWithout(resultOf(own))] : []),
    ...register,
    ...kept.map(closed),
  ];
}

/** What it registers by is closed by execve: no path leads anywhere by way of a pidfd or a pipe. */
function closed(fd: number): Step {
  return { call: 'close', args: [fd], purpose: 'the program has no way to the keeper' };
}

/** The kernel sends no signal for a parent that has ended before it was asked for one, and then another process is the parent. */
function endWithout(parent: ResultOf): Step[] {
  const goOn = label('the init process is alive');
  return [
    { call: 'getppid', args: [], purpose: 'is the init process still there?', jump: { when: '==', than: parent, to: goOn } },
    { call: 'exit_group', args: [137], purpose: 'the init process is gone' },
    goOn,
  ];
}
