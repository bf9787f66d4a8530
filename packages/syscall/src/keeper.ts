import { messageFlags, openFlags, SCM_RIGHTS, SO_PASSCRED, SOL_SOCKET, socketDomains, socketTypes } from './abi/constants.js';
import { errnos } from './abi/errno.js';
import { iovec, msghdr } from './abi/structs.js';
import { REPORT_FD } from './compile/compile.js';
import { Memory, type Struct } from './memory.js';
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
  /**
   * Whether the process has a way of its own to the keeper, which is made ahead ({@link Registration.prepare}), while the rights of the caller are still there.
   * The kernel counts files that are sent by user, and refuses those of a user who has too many on their way, but for root of the host:
   * what other processes of the user that this one becomes have sent would decide whether it can register. By a way of its own it sends none.
   * @default false
   */
  readonly ahead?: boolean;
}

/** How a process registers: in parts, between which it can do other things while the keeper answers. */
export interface Registration {
  /** All parts, one after the other. */
  readonly steps: readonly Step[];
  /** What comes ahead, perhaps in an earlier process: the way of its own that takes the place of {@link KEEPER_FD}. */
  readonly prepare: readonly Step[];
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
 * The keeper, which may still be starting, answers by a pipe that it gets with the pidfd, or by the way that was made ahead, and the steps wait for that answer,
 * so no program starts unless it is kept. EPIPE: the keeper was killed; EMFILE: it has no room for the files, and closes its end without an answer.
 * In a plan that is launched; the socket is fd {@link KEEPER_FD}, and is for the plan to close.
 *
 * @see pidfd_open(2), unix(7): SCM_RIGHTS
 * @example
 * ```ts
 * import { continueInChild, explain, registerWithKeeper } from '@ctr/syscall';
 * console.log(explain([...continueInChild(), ...registerWithKeeper().steps]));
 * ```
 */
export function registerWithKeeper({ cgroupKill, pid, ahead = false }: KeeperOptions = {}): Registration {
  return ahead ? byOwnWay(cgroupKill) : byFiles(cgroupKill, pid);
}

/** Told by the keeper, in one byte, to a process that it keeps. */
export const KEPT = 'k';

/** The second byte of a message that brings the way of a process, and not the process. */
export const WAY = 1;

const pipeHint = 'the keeper, a process that ctr starts beside this one, was killed or could not be started: start this again';
const roomHint =
  'the keeper, a process that ctr starts beside this one, has no room for the files of this container, or was killed: raise the hard limit of open files (ulimit -Hn), or start fewer containers by one process';
const onTheirWay = 'more files are on their way to the keeper than a user may have open: raise the limit of open files (ulimit -n)';

/**
 * The keeper gets one end of a pair of sockets, and asks the kernel for the pid of whoever writes at the other one. A process whose pid somebody else has by then has ended,
 * and its end of the pair was closed before: the keeper cannot answer, and keeps nothing.
 *
 * @see unix(7): SO_PASSCRED
 */
function byOwnWay(cgroupKill: KeeperOptions['cgroupKill']): Registration {
  const ends = new Memory(8, 'way');
  const { message, control } = filesMessage(cgroupKill === undefined ? 1 : 2, WAY);
  const prepare: readonly Step[] = [
    {
      call: 'socketpair',
      args: [socketDomains.AF_UNIX, socketTypes.SOCK_SEQPACKET | socketTypes.SOCK_CLOEXEC, 0, ends],
      purpose: 'a way of its own to the keeper',
    },
    {
      call: 'setsockopt',
      args: [ends.i32(0), SOL_SOCKET, SO_PASSCRED, new Memory(Buffer.from(Uint32Array.of(1).buffer), 'on'), 4],
      purpose: 'the kernel tells the keeper who writes there',
    },
    { call: 'add', args: [ends.i32(0), 0], purpose: 'its end of the way', into: control.at(CMSGHDR_BYTES) },
    ...killing(cgroupKill, control, 1),
    registering(message, 'the keeper gets its end'),
    { call: 'dup3', args: [ends.i32(4), KEEPER_FD, openFlags.O_CLOEXEC], purpose: 'this way is the one to the keeper from here on' },
    { call: 'close', args: [ends.i32(4)], purpose: 'one file is enough' },
    { call: 'close', args: [ends.i32(0)], purpose: 'the keeper alone can answer' },
  ];
  const request = msghdr({ msg_iov: iovec({ iov_base: new Memory(Buffer.from(KEPT), 'request'), iov_len: 1 }), msg_iovlen: 1 });
  const send: readonly Step[] = [
    {
      call: 'sendmsg',
      args: [KEEPER_FD, request, messageFlags.MSG_NOSIGNAL],
      purpose: 'the keeper kills this process when the host ends',
      // Without an answer the step after it fails.
      tolerates: ['EPIPE'],
    },
  ];
  const answer = new Memory(8, 'kept');
  const isKept = label('this process is kept');
  const confirm: readonly Step[] = [
    { call: 'read', args: [KEEPER_FD, answer, 1], purpose: 'wait until the keeper has it', tolerates: ['ECONNRESET'] },
    // At its end the keeper writes another byte to all that it has.
    { call: 'add', args: [answer.u8(0), 0], purpose: 'has it?', jump: { when: '==', than: KEPT.charCodeAt(0), to: isKept } },
    refused(),
    isKept,
  ];
  return { steps: [...prepare, ...send, ...confirm], prepare, send, confirm };
}

function refused(): Step {
  return fail(errnos.EMFILE, 'the keeper takes the process', { EMFILE: roomHint });
}

/** A message with files, of two bytes: how large the control message is, by which the keeper sees that none is missing, and what the files are. */
function filesMessage(count: number, kind: number): { readonly message: Struct; readonly control: Memory } {
  // Each fd is stored with 64 bits.
  const controlBytes = CMSGHDR_BYTES + count * FD_BYTES;
  const initial = Buffer.alloc(controlBytes + FD_BYTES);
  initial.writeBigUInt64LE(BigInt(controlBytes), 0);
  initial.writeInt32LE(SOL_SOCKET, 8);
  initial.writeInt32LE(SCM_RIGHTS, 12);
  const control = new Memory(initial, 'files');
  const data = new Memory(Buffer.from([controlBytes, kind]), 'what comes');
  const message = msghdr({ msg_iov: iovec({ iov_base: data, iov_len: data.byteLength }), msg_iovlen: 1, msg_control: control, msg_controllen: controlBytes });
  return { message, control };
}

function killing(cgroupKill: KeeperOptions['cgroupKill'], control: Memory, index: number): Step[] {
  if (cgroupKill === undefined) return [];
  return [{ call: 'add', args: [cgroupKill, 0], purpose: 'by what it kills the group', into: control.at(CMSGHDR_BYTES + index * FD_BYTES) }];
}

function registering(message: Struct, purpose: string): Step {
  const register: Step = {
    call: 'sendmsg',
    args: [KEEPER_FD, message, messageFlags.MSG_NOSIGNAL],
    purpose,
    hints: { EPIPE: pipeHint, ETOOMANYREFS: onTheirWay },
  };
  registrations.add(register);
  return register;
}

function byFiles(cgroupKill: KeeperOptions['cgroupKill'], pid: number | undefined): Registration {
  const { message, control } = filesMessage(cgroupKill === undefined ? 2 : 3, 0);
  const own: Step = { call: 'getpid', args: [], purpose: 'the process to keep', as: 'self' };
  const answer = new Memory(8, 'answer');
  const send: readonly Step[] = [
    ...(pid === undefined ? [own] : []),
    { call: 'pipe2', args: [answer, openFlags.O_CLOEXEC], purpose: 'by what the keeper answers' },
    { call: 'add', args: [answer.i32(4), 0], purpose: 'its end of the pipe', into: control.at(CMSGHDR_BYTES) },
    { call: 'pidfd_open', args: [pid ?? resultOf(own), 0], purpose: 'by what the keeper knows this process', into: control.at(CMSGHDR_BYTES + FD_BYTES) },
    ...killing(cgroupKill, control, 2),
    registering(message, 'the keeper kills this process when the host ends'),
    { call: 'close', args: [answer.i32(4)], purpose: 'the keeper alone can answer' },
  ];
  const isKept = label('this process is kept');
  const confirm: readonly Step[] = [
    { call: 'read', args: [answer.i32(0), new Memory(1, 'kept'), 1], purpose: 'wait until the keeper has it', jump: { when: '==', than: 1, to: isKept } },
    refused(),
    isKept,
  ];
  return { steps: [...send, ...confirm], prepare: [], send, confirm };
}
