import { CLONE_INTO_CGROUP, cloneFlags, messageFlags, openFlags, prctlOptions, SCM_RIGHTS, signals, SOL_SOCKET } from './abi/constants.js';
import { errnos } from './abi/errno.js';
import { cloneArgs, cmsgFd, iovec, msghdr, pollfd, timespec } from './abi/structs.js';
import { REPORT_FD } from './compile/compile.js';
import type { Fd } from './fd.js';
import { Memory, type Load } from './memory.js';
import { fail, label, resultOf, type ResultOf, type Step } from './step.js';

/** First number of a report that names the process in which the plan goes on; the second is its pid. */
export const REPORT_PID = 1;
/** First number of a report that says: the plan waits for the host now. */
export const REPORT_WAITING = 2;
/** First number of a report that says: the program comes next. */
export const REPORT_EXEC = 3;
/** First number of a report that a file comes with. */
export const REPORT_FILE = 4;
/** First number of a report that says: the process it comes from is the one that stays. */
export const REPORT_STAYS = 5;

/** The steps that announce the program: `launch` expects the announcement of a plan that has one. */
export const announcements = new WeakSet<Step>();

/** How a new process is made. */
export interface ForkOptions {
  /** `CLONE_NEW…` flags of the namespaces to make it in. @default 0 */
  readonly namespaces?: number;
  /**
   * Whether it shares the few pages of the walker with the first process, which is quicker, or has a copy of them.
   * A time namespace needs a copy: the kernel does not switch it for a process that shares its memory.
   * @default 'shared'
   */
  readonly memory?: 'shared' | 'copied';
  /**
   * The directory of a cgroup of version 2, open: the process is born in it (`CLONE_INTO_CGROUP`), which costs nothing, where moving there takes a lock on the whole system.
   * Where clone3(2) is refused (a seccomp filter of a container around this one), the first process joins the group instead, and the new one is born there with it.
   * A new cgroup namespace has the group of the first process at its top, which is another: make that namespace afterwards.
   * @default the group of the first process
   */
  readonly cgroup?: ResultOf | Fd;
}

/** What to say when the kernel does not let a process be in a cgroup. */
const cgroupHints = {
  EBUSY: 'the group passes controllers on to groups below it, so no process may be in it',
  EOPNOTSUPP: 'the group is part of a threaded subtree that takes no process',
  EACCES: 'a process gets into a group only by someone who may write cgroup.procs of a group above both the old and the new one',
  ENOENT: 'the group was removed meanwhile',
  ENODEV: 'the group was removed meanwhile',
} satisfies Step['hints'];

/**
 * The plan goes on in a new process, whose parent is the host; the first process reports its pid and ends.
 *
 * @see clone(2): CLONE_PARENT, CLONE_PARENT_SETTID; clone3(2): CLONE_INTO_CGROUP
 * @example A process in a UTS namespace of its own
 * ```ts
 * import { cloneFlags, continueInChild } from '@ctr/syscall';
 * const steps = continueInChild({ namespaces: cloneFlags.CLONE_NEWUTS });
 * ```
 */
export function continueInChild({ namespaces = 0, memory = 'shared', cgroup }: ForkOptions = {}): Step[] {
  const report = new Memory(Buffer.from(Uint32Array.of(REPORT_PID, 0).buffer), 'report');
  // clone(2) takes the address that the stack pointer gets. clone3(2) takes what lies below that, of which there has to be something: twice as much is room for either.
  const stack = new Memory(2 * STACK_BYTES, 'stack');
  const goOn = label('the new process');
  const flags = cloneFlags.CLONE_PARENT | cloneFlags.CLONE_PARENT_SETTID | (memory === 'shared' ? cloneFlags.CLONE_VM : 0) | namespaces;
  const purpose = namespaces === 0 ? 'go on in a new process' : 'go on in a new process, in new namespaces';
  const end = (): Step[] => [
    { call: 'write', args: [REPORT_FD, report, 8], purpose: 'tell the host its pid', tolerates: 'any' },
    { call: 'exit_group', args: [0], purpose: 'the first process has done its part' },
  ];
  const clone: Step = {
    call: 'clone',
    args: [flags | signals.SIGCHLD, memory === 'shared' ? stack : 0, report.at(4), 0, 0],
    purpose,
    jump: { when: '==', to: goOn },
  };
  if (cgroup === undefined) return [clone, ...end(), goOn];
  const args = cloneArgs({
    flags: CLONE_INTO_CGROUP | BigInt(flags),
    parent_tid: report.at(4),
    ...(memory === 'shared' && { stack, stack_size: STACK_BYTES }),
  });
  const refused = ['ENOSYS', 'EPERM'] as const;
  const clone3: Step = {
    call: 'clone3',
    args: [args, args.byteLength],
    purpose: `${purpose}, in its cgroup`,
    tolerates: refused,
    jump: { when: '==', to: goOn },
    hints: cgroupHints,
  };
  const join = label('clone3 is refused here: join the group, and clone');
  const procs: Step = {
    call: 'openat',
    args: [cgroup, 'cgroup.procs', openFlags.O_WRONLY | openFlags.O_CLOEXEC, 0],
    purpose: 'the processes of the group',
    as: 'cgroup_procs',
  };
  return [
    { call: 'add', args: [cgroup, 0], purpose: 'the group to be born in', into: args.field('cgroup') },
    clone3,
    { call: 'add', args: [resultOf(clone3), 0], purpose: 'was it made?', tolerates: refused, jump: { when: '<', to: join } },
    ...end(),
    join,
    procs,
    { call: 'write', args: [resultOf(procs), '0', 1], purpose: 'join the group', hints: cgroupHints },
    { call: 'close', args: [resultOf(procs)], purpose: 'written' },
    clone,
    ...end(),
    goOn,
  ];
}

/** The walker puts its operands above the stack pointer, in 56 bytes, and nothing below. */
const STACK_BYTES = 64;

/**
 * Says that this process stays, though it does not become the program: `launch` takes its end for that of the whole. Stands in a plan that makes a further process
 * for the program, which is none of the host's; without it, `launch` would have to rely on the first process having lived to report the pid of this one.
 *
 * @example
 * ```ts
 * import { continueInChild, explain, stayInCharge } from '@ctr/syscall';
 * console.log(explain([...continueInChild(), stayInCharge()]));
 * ```
 */
export function stayInCharge(): Step {
  const report = new Memory(Buffer.from(Uint32Array.of(REPORT_STAYS, 0).buffer), 'report');
  return { call: 'write', args: [REPORT_FD, report, 8], purpose: 'tell the host which process stays', tolerates: 'any' };
}

/**
 * The plan stops until the host lets it go on: what `launch` calls its `onWaiting` for (id maps, a gate between create and start).
 * If the host dies meanwhile, the step after the wait fails with EPIPE.
 *
 * @example
 * ```ts
 * import { explain, launch, waitForHost, type Plan } from '@ctr/syscall';
 * const plan: Plan = [...waitForHost('is it time?'), { call: 'exit_group', args: [7], purpose: 'end' }];
 * const child = await launch(plan, { onWaiting: (pid) => console.log(`${pid} waits`) });
 * console.log((await child.exited).code, explain(plan)); // 7, and the steps
 * ```
 */
export function waitForHost(purpose: string): Step[] {
  const report = new Memory(Buffer.from(Uint32Array.of(REPORT_WAITING, 0).buffer), 'report');
  const answer = new Memory(8, 'answer');
  const goOn = label('the host has answered');
  return [
    { call: 'write', args: [REPORT_FD, report, 8], purpose: `tell the host: ${purpose}` },
    { call: 'read', args: [REPORT_FD, answer, 1], purpose: `wait for the host: ${purpose}`, jump: { when: '==', than: 1, to: goOn } },
    fail(errnos.EPIPE, 'the host is gone'),
    goOn,
  ];
}

/**
 * Hands an open file of the plan over to the host: what `launch` calls its `onFile` with (the master of a terminal, a seccomp listener).
 *
 * @see unix(7): SCM_RIGHTS
 * @example
 * ```ts
 * import { handOver, launch, resultOf, type Fd, type Step } from '@ctr/syscall';
 * const open: Step = { call: 'openat', args: [-100, '/etc/hostname', 0, 0], purpose: 'a file to hand over' };
 * const files: Fd[] = [];
 * const child = await launch([open, ...handOver(resultOf(open), 'here it is')], { onFile: (file) => files.push(file) });
 * await child.exited;
 * for (const file of files) file.close();
 * ```
 */
export function handOver(file: ResultOf | Load | Fd, purpose: string): Step[] {
  const report = new Memory(Buffer.from(Uint32Array.of(REPORT_FILE, 0).buffer), 'report');
  const control = cmsgFd({ cmsg_len: cmsgFd.offsetOf('fd') + 4, cmsg_level: SOL_SOCKET, cmsg_type: SCM_RIGHTS });
  const message = msghdr({ msg_iov: iovec({ iov_base: report, iov_len: 8 }), msg_iovlen: 1, msg_control: control, msg_controllen: cmsgFd.byteLength });
  return [
    { call: 'add', args: [file, 0], purpose, into: control.field('fd') },
    { call: 'sendmsg', args: [REPORT_FD, message, messageFlags.MSG_NOSIGNAL], purpose },
  ];
}

/**
 * Says that the set-up is done and the program comes next: an end of the plan before it is a failure of the set-up, one after it is the program's own.
 * Stands right before the first `execve`.
 *
 * @example
 * ```ts
 * import { announceExec, launch } from '@ctr/syscall';
 * const child = await launch([announceExec(), { call: 'execve', args: ['/bin/true', ['true'], []], purpose: 'the program' }]);
 * await child.exited;
 * ```
 */
export function announceExec(): Step {
  const report = new Memory(Buffer.from(Uint32Array.of(REPORT_EXEC, 0).buffer), 'report');
  const step: Step = { call: 'write', args: [REPORT_FD, report, 8], purpose: 'the set-up is done' };
  announcements.add(step);
  return step;
}

/**
 * Dies with the host: SIGKILL when the thread that launched it ends, however it ends, also if that was before this step.
 * The kernel forgets the setting at a change of credentials: it has to be made after those.
 *
 * @see PR_SET_PDEATHSIG(2const)
 * @example
 * ```ts
 * import { dieWithHost, explain } from '@ctr/syscall';
 * console.log(explain(dieWithHost()));
 * ```
 */
export function dieWithHost(): Step[] {
  const hangup = pollfd({ fd: REPORT_FD, events: 0 });
  const goOn = label('the host is alive');
  return [
    { call: 'prctl', args: [prctlOptions.PR_SET_PDEATHSIG, signals.SIGKILL, 0, 0, 0], purpose: 'die with the host' },
    { call: 'ppoll', args: [hangup, 1, timespec({}), null, 8], purpose: 'is the host still there?', jump: { when: '==', to: goOn } },
    { call: 'exit_group', args: [137], purpose: 'the host is gone' },
    goOn,
  ];
}
