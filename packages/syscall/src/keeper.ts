import { messageFlags, openFlags, SCM_RIGHTS, SOL_SOCKET } from './abi/constants.js';
import { errnos } from './abi/errno.js';
import { iovec, msghdr } from './abi/structs.js';
import { REPORT_FD } from './compile/compile.js';
import { Memory } from './memory.js';
import { fail, label, resultOf, type ResultOf, type Step } from './step.js';

/** The fd of the socket to the keeper, in a plan that registers with it. */
export const KEEPER_FD = REPORT_FD + 1;

/** The steps that register: `launch` gives a plan that has one the socket. */
export const registrations = new WeakSet<Step>();

/** struct cmsghdr of linux/socket.h, without what follows it. */
export const CMSGHDR_BYTES = 16;
const FD_BYTES = 4;

/** How a process registers with the keeper. */
export interface KeeperOptions {
  /** The pid of this process in its own pid namespace, where that is known: 1 for its first process. @default it is asked for */
  readonly pid?: number;
  /**
   * The file `cgroup.kill` of a cgroup of version 2 that nobody else is in, open for writing: everything in the group is killed, too, when the host or this process ends.
   * For processes whose pid namespace does not end with the one that registers.
   * @default nothing but the process itself
   */
  readonly cgroupKill?: ResultOf | number;
}

/** How a process registers: in two parts, between which it can do other things while the keeper answers. */
export interface Registration {
  /** Both parts, one after the other. */
  readonly steps: readonly Step[];
  /** The first part: tells the keeper of this process. */
  readonly send: readonly Step[];
  /** The second part: waits for the answer, and fails without one. The program may begin after that. */
  readonly confirm: readonly Step[];
}

/**
 * Registers this process with the keeper: a process outside, one for each host, which sends it SIGKILL when the host ends, however that ends.
 * `dieWithHost` is an attribute of the process itself, which the program can take back (PR_SET_PDEATHSIG(2const)) and which the kernel drops at a change of credentials;
 * the keeper is out of the program's reach.
 *
 * The keeper, which may still be starting, answers by a pipe that it gets with the pidfd, and the steps wait for that answer, so no program starts unless it is kept.
 * EPIPE: the keeper was killed;
 * EMFILE: it has no room for the files, and the pipe is closed without an answer.
 * In a plan that is launched; the socket is fd {@link KEEPER_FD}, and is for the plan to close.
 *
 * @see pidfd_open(2), unix(7): SCM_RIGHTS
 * @example
 * ```ts
 * import { continueInChild, explain, registerWithKeeper } from '@ctr/syscall';
 * console.log(explain([...continueInChild(), ...registerWithKeeper().steps]));
 * ```
 */
export function registerWithKeeper({ cgroupKill, pid }: KeeperOptions = {}): Registration {
  // Each fd is stored with 64 bits. The first byte, which is the message, too, tells the keeper how many files there are to be.
  const controlBytes = CMSGHDR_BYTES + (cgroupKill === undefined ? 2 : 3) * FD_BYTES;
  const initial = Buffer.alloc(controlBytes + FD_BYTES);
  initial.writeBigUInt64LE(BigInt(controlBytes), 0);
  initial.writeInt32LE(SOL_SOCKET, 8);
  initial.writeInt32LE(SCM_RIGHTS, 12);
  const control = new Memory(initial, 'files');
  const message = msghdr({
    msg_iov: iovec({ iov_base: control, iov_len: 1 }),
    msg_iovlen: 1,
    msg_control: control,
    msg_controllen: controlBytes,
  });
  const own: Step = { call: 'getpid', args: [], purpose: 'the process to keep', as: 'self' };
  const register: Step = {
    call: 'sendmsg',
    args: [KEEPER_FD, message, messageFlags.MSG_NOSIGNAL],
    purpose: 'the keeper kills this process when the host ends',
    hints: {
      EPIPE: 'the keeper, a process that ctr starts beside this one, was killed or could not be started: start this again',
      ETOOMANYREFS: 'more files are on their way to the keeper than a user may have open: raise the limit of open files (ulimit -n)',
    },
  };
  registrations.add(register);
  const answer = new Memory(8, 'answer');
  const isKept = label('this process is kept');
  const send: readonly Step[] = [
    ...(pid === undefined ? [own] : []),
    { call: 'pipe2', args: [answer, openFlags.O_CLOEXEC], purpose: 'by what the keeper answers' },
    { call: 'add', args: [answer.i32(4), 0], purpose: 'its end of the pipe', into: control.at(CMSGHDR_BYTES) },
    { call: 'pidfd_open', args: [pid ?? resultOf(own), 0], purpose: 'by what the keeper knows this process', into: control.at(CMSGHDR_BYTES + FD_BYTES) },
    ...(cgroupKill === undefined
      ? []
      : [{ call: 'add', args: [cgroupKill, 0], purpose: 'by what it kills the group', into: control.at(CMSGHDR_BYTES + 2 * FD_BYTES) } satisfies Step]),
    register,
    { call: 'close', args: [answer.i32(4)], purpose: 'the keeper alone can answer' },
  ];
  const confirm: readonly Step[] = [
    { call: 'read', args: [answer.i32(0), new Memory(1, 'kept'), 1], purpose: 'wait until the keeper has it', jump: { when: '==', than: 1, to: isKept } },
    fail(errnos.EMFILE, 'the keeper takes the process', {
      EMFILE:
        'the keeper, a process that ctr starts beside this one, has no room for the files of this container, or was killed: raise the hard limit of open files (ulimit -Hn), or start fewer containers by one process',
    }),
    isKept,
  ];
  return { steps: [...send, ...confirm], send, confirm };
}
