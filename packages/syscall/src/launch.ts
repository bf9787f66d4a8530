import { setMaxListeners } from 'node:events';

import {
  closeRangeFlags,
  fcntlCommands,
  messageFlags,
  openFlags,
  prctlOptions,
  signals,
  SO_PASSCRED,
  SO_TYPE,
  SOL_SOCKET,
  socketDomains,
  socketTypes,
  waitFlags,
  waitIdTypes,
} from './abi/constants.js';
import { errnoName, errnos } from './abi/errno.js';
import { hostArch, syscallNumber } from './abi/numbers.js';
import { cmsgFd, msghdr } from './abi/structs.js';
import { compileParts, FAILED_STATUS, failedStep, REPORT_FD } from './compile/compile.js';
import { SyscallError } from './error.js';
import { ownedFd, type Fd } from './fd.js';
import { unwatch, watch } from './epoll.js';
import { ended, type Exit, type SignalName } from './exit.js';
import { allocate, isMainThread, spawn, syscall } from './ffi.js';
import { waitForGiven, waitForRest } from './given.js';
import { hintFor } from './hints.js';
import { keeperSocket, startKeeper } from './host-keeper.js';
import { registrations } from './keeper.js';
import { forget, leaveAlone } from './known-children.js';
import { sealedMemfd } from './memfd.js';
import { Memory } from './memory.js';
import { nodeTimers } from './node-timers.js';
import { stepError } from './perform.js';
import { announcements, REPORT_EXEC, REPORT_FILE, REPORT_PID, REPORT_STAYS, REPORT_WAITING } from './process.js';
import { label, type Plan, type Step } from './step.js';
import { quote } from './printable.js';
import { closeFile, holdFile, holdProcess, letGoOfProcess, spawnedPidAddress } from './thread-end.js';
import { beginSetUp, endSetUp, waitForUnreported } from './unreported.js';

/** What a standard stream of the new process is: the host's own, `/dev/null`, or an open file. */
export type LaunchStdio = 'inherit' | 'ignore' | Fd;

/** How a plan is launched. */
export interface LaunchOptions {
  /** stdin, stdout and stderr. @default all 'inherit' */
  readonly stdio?: readonly [LaunchStdio, LaunchStdio, LaunchStdio];
  /** Called when the plan waits for the host (`waitForHost`); it goes on when the promise settles, and is killed if it rejects. */
  readonly onWaiting?: (pid: number) => Promise<void> | void;
  /** Called with a file that the plan hands over (`handOver`); the callee closes it. @default it is closed at once */
  readonly onFile?: (file: Fd) => void;
  /** Kills the process when it fires: while it is being set up, `launch` rejects with the signal's reason. */
  readonly cancelSignal?: AbortSignal;
  /**
   * Leave the process to whoever becomes its parent when this one ends: it is not waited for, and `exited` of it never settles. For a host that ends right after,
   * which would otherwise take away how a program ended that was quicker. @default false
   */
  readonly detached?: boolean;
  /** How long the set-up may take, in milliseconds. @default 30000 */
  readonly setupTimeoutMs?: number;
}

/** A launched process. Disposing kills it and waits for its end. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Settles when the process has ended; never rejects. */
  readonly exited: Promise<Exit>;
  /** Sends a signal, unless the process has ended already. Throws a `RangeError` for one that does not exist. @returns whether it was sent */
  kill(signal?: SignalName | number): boolean;
}

const numbers = {
  fcntl: syscallNumber('fcntl'),
  kill: syscallNumber('kill'),
  openat: syscallNumber('openat'),
  recvmsg: syscallNumber('recvmsg'),
  sendto: syscallNumber('sendto'),
  setsockopt: syscallNumber('setsockopt'),
  socketpair: syscallNumber('socketpair'),
  waitid: syscallNumber('waitid'),
};
/** Name of the memfd, a path, a pair of fds and a message. */
const scratch = allocate(512);
const NAME = scratch.address;
const PAIR = 64;
const MESSAGE = 72;
const REPORT_BYTES = 8;
const MSGHDR = 128;
const IOVEC = 192;
const CONTROL = 208;
/** Two control messages: the sender (a cmsghdr with struct ucred of linux/socket.h), which comes first, and a file. */
const SENDER_PID = CONTROL + 16;
const SENDER_BYTES = 32;
const CONTROL_BYTES = SENDER_BYTES + cmsgFd.byteLength;
const ONE = 304;
const DEV_NULL = 16;
const O_RDWR_CLOEXEC = openFlags.O_RDWR | openFlags.O_CLOEXEC;
scratch.bytes.write('ctr\0', 0, 'latin1');
scratch.bytes.write('/dev/null\0', DEV_NULL, 'latin1');
scratch.bytes.writeBigUInt64LE(BigInt(scratch.address + MESSAGE), IOVEC);
scratch.bytes.writeBigUInt64LE(BigInt(REPORT_BYTES), IOVEC + 8);
scratch.bytes.writeBigUInt64LE(BigInt(scratch.address + IOVEC), MSGHDR + msghdr.offsetOf('msg_iov'));
scratch.bytes.writeBigUInt64LE(1n, MSGHDR + msghdr.offsetOf('msg_iovlen'));
scratch.bytes.writeBigUInt64LE(BigInt(scratch.address + CONTROL), MSGHDR + msghdr.offsetOf('msg_control'));
scratch.bytes.writeInt32LE(1, ONE);
let image = allocate(16 * 1024);

/**
 * Runs a plan in a fresh process: compiles it, starts it from a sealed memfd, and resolves when its set-up is done: when it has reached `execve` (or its end).
 * The host's memory is not copied, so the cost does not grow with its heap; nothing blocks but posix_spawn(3), for a fraction of a millisecond.
 *
 * Rejects with a {@link SyscallError} that names the step that failed; then nothing of the process is left.
 * Every file of the host but the standard streams, and those that steps name, is closed in the new program.
 *
 * A plan may be given in parts, each of which refers to its own steps only. A part that is frozen is prepared once, however often it is launched:
 * for what many processes have in common.
 *
 * @example
 * ```ts
 * import { launch } from '@ctr/syscall';
 * const child = await launch([{ call: 'execve', args: ['/bin/true', ['true'], []], purpose: 'the program' }]);
 * const { code } = await child.exited; // 0
 * ```
 */
export async function launch(plan: Plan | readonly Plan[], options: LaunchOptions = {}): Promise<Child> {
  const { cancelSignal, setupTimeoutMs = 30_000 } = options;
  cancelSignal?.throwIfAborted();
  // One signal may cancel any number of processes: that is no leak.
  if (cancelSignal) setMaxListeners(0, cancelSignal);
  const parts = isParts(plan) ? plan : [plan];
  const isKept = parts.some((part) => habitsOf(part).registers);
  const { pid: first, report } = begin(parts, options.stdio ?? ['inherit', 'inherit', 'inherit'], isKept ? keeperSocket() : undefined);
  const setup = await setUp(parts, options, first, report, setupTimeoutMs, isKept ? keep() : undefined);
  const own = [setup.pid, ...setup.others];
  endSetUp(own);
  waitForRest(own);
  const isReady = !setup.failure && (setup.announced || !parts.some((part) => habitsOf(part).announces));
  if (isReady && (options.detached || !parts.some((part) => habitsOf(part).isTied))) letGoOfProcess(setup.pid);
  const end = options.detached && isReady ? new Promise<Exit>(() => undefined) : waited(setup.pid);
  const others = Promise.all(setup.others.map(waited));
  if (setup.failure) {
    await Promise.all([end, others]);
    await waitForUnreported();
    throw setup.failure.error;
  }
  if (!isReady) {
    const exit = await end;
    await others;
    await waitForUnreported();
    throw new Error(`the process ended during its set-up, ${exit.signal ? `killed by ${exit.signal}` : `with exit code ${exit.code}`}`);
  }
  let running = true;
  const kill = (signal: SignalName | number = 'SIGTERM'): boolean => {
    const number = signalNumber(signal);
    return running && syscall(numbers.kill, setup.pid, number) === 0;
  };
  const cancel = (): void => void kill('SIGKILL');
  cancelSignal?.addEventListener('abort', cancel, { once: true });
  if (cancelSignal?.aborted) cancel();
  const exited = end.then((exit) => {
    running = false;
    cancelSignal?.removeEventListener('abort', cancel);
    return exit;
  });
  return {
    pid: setup.pid,
    exited,
    kill,
    async [Symbol.asyncDispose]() {
      kill('SIGKILL');
      await exited;
    },
  };
}

/** Starts the first process of a set-up. */
function begin(...how: Parameters<typeof start>): ReturnType<typeof start> {
  beginSetUp();
  try {
    const started = start(...how);
    holdProcess(started.pid);
    return started;
  } catch (error) {
    endSetUp([]);
    throw error;
  }
}

async function waited(pid: number): Promise<Exit> {
  const exit = await ended(pid);
  forget(pid);
  waitForGiven(pid);
  return exit;
}

/** 0 sends nothing, and tells whether something could be sent: kill(2). The last one is SIGRTMAX of signal(7). */
function signalNumber(signal: SignalName | number): number {
  const number = typeof signal === 'number' ? signal : Object.hasOwn(signals, signal) ? signals[signal] : undefined;
  if (number === undefined || !Number.isInteger(number) || number < 0 || number > 64)
    throw new RangeError(`there is no signal ${typeof signal === 'string' ? quote(signal) : String(signal)}: see signal(7)`);
  return number;
}

function isParts(plan: Plan | readonly Plan[]): plan is readonly Plan[] {
  return Array.isArray(plan[0]);
}

/** What the host has to know of a part before it reports anything. */
interface Habits {
  readonly waits: boolean;
  readonly announces: boolean;
  readonly registers: boolean;
  /** Whether the program ends with the thread that has started it. */
  readonly isTied: boolean;
}

const habits = new WeakMap<Plan, Habits>();

function habitsOf(part: Plan): Habits {
  const known = habits.get(part);
  if (known) return known;
  const registers = part.some((step) => registrations.has(step));
  const found = {
    waits: part.some(({ call, args }) => call === 'read' && args[0] === REPORT_FD),
    announces: part.some((step) => announcements.has(step)),
    registers,
    isTied: registers || part.some(({ call, args }) => call === 'prctl' && args[0] === prctlOptions.PR_SET_PDEATHSIG && args[1] !== 0),
  };
  if (Object.isFrozen(part)) habits.set(part, found);
  return found;
}

/** Starts the keeper, unless there is one. @returns why it could not be started */
function keep(): Setup['failure'] {
  try {
    startKeeper((plan) => {
      const { pid, report } = start([plan], ['ignore', 'ignore', 'ignore'], undefined, spawnedPidAddress({ isKeeper: true }));
      closeFile(report);
      leaveAlone(pid);
      return pid;
    });
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** What became of a set-up: the process the plan went on in, those that it went through before, and what went wrong. */
interface Setup {
  readonly pid: number;
  readonly others: readonly number[];
  readonly announced: boolean;
  readonly failure: { readonly error: unknown } | undefined;
}

/** What a report of 8 bytes says of the step that failed. */
export interface ReportedFailure {
  /** The index of the step in the whole of the plan, from 0. */
  readonly step: number;
  readonly errno: number;
}

/**
 * Reads the report of a failure that a launched plan has made to another file than the host's: one that it has put in the place of fd 3, for whoever comes after the host.
 * `undefined` for what is no such report.
 *
 * @example
 * ```ts
 * import { readFailure } from '@ctr/syscall';
 * console.log(readFailure(new Uint8Array(0))); // undefined: the other end was closed, by execve(2) or the end of the process
 * ```
 */
export function readFailure(report: Uint8Array): ReportedFailure | undefined {
  if (report.byteLength !== REPORT_BYTES) return undefined;
  const words = Buffer.from(report);
  const step = failedStep(words.readUInt32LE(0));
  return step === undefined ? undefined : { step: step - prologue.length, errno: words.readUInt32LE(4) };
}

/** Listens to the reports until the other end is closed, which `execve` and every end of the process do. */
function setUp(
  parts: readonly Plan[],
  { onWaiting, onFile, cancelSignal }: LaunchOptions,
  first: number,
  report: number,
  timeoutMs: number,
  failed: Setup['failure'],
): Promise<Setup> {
  return new Promise((resolve) => {
    // Reports of two processes may come in any order, and one that is killed makes none.
    const processes = new Set([first]);
    const add = (pid: number): void => {
      if (processes.has(pid)) return;
      processes.add(pid);
      holdProcess(pid);
    };
    const next = new Map<number, number>();
    let stays: number | undefined;
    let announcer: number | undefined;
    let announced = false;
    let failure: Setup['failure'];
    let isAbandoned = false;
    let isOver = false;
    const end = (): void => {
      isAbandoned = true;
      for (const pid of processes) syscall(numbers.kill, pid, signals.SIGKILL);
      // Reports that have not been read may tell of more of them.
      watch(report, 'readable', listen);
    };
    const abandon = (error: unknown): void => {
      if (isOver) return;
      failure ??= { error };
      end();
    };
    const cancel = (): void => abandon(cancelSignal?.reason);
    const timer = nodeTimers.setTimeout(() => abandon(new Error(`the set-up of the process did not end within ${timeoutMs} ms`)), timeoutMs);
    cancelSignal?.addEventListener('abort', cancel, { once: true });
    const answer = async (waiting: number): Promise<void> => {
      try {
        await onWaiting?.(waiting);
        if (!isOver) syscall(numbers.sendto, report, NAME, 1, messageFlags.MSG_NOSIGNAL);
      } catch (error) {
        abandon(error);
      }
    };
    const listen = (): void => {
      for (;;) {
        const received = receive(report);
        if (received === -errnos.EAGAIN) return;
        // An answer that nobody has read is told of once; what was reported before still comes.
        if (received === -errnos.ECONNRESET) continue;
        if (received < REPORT_BYTES) break;
        const kind = scratch.bytes.readUInt32LE(MESSAGE);
        const value = scratch.bytes.readUInt32LE(MESSAGE + 4);
        const sender = scratch.bytes.readInt32LE(SENDER_PID);
        const isChild = isOurs(sender);
        if (isChild) add(sender);
        if (kind === REPORT_PID) {
          add(value);
          next.set(sender, value);
        } else if (kind === REPORT_STAYS) {
          if (isChild) stays = sender;
        } else if (kind === REPORT_WAITING) void answer(sender);
        else if (kind === REPORT_EXEC) {
          announced = true;
          if (isChild) announcer = sender;
        } else if (kind === REPORT_FILE) takeFile(onFile);
        else failure ??= { error: stepError(parts.flat(), (failedStep(kind) ?? 0) - prologue.length, value) };
        if (isAbandoned) end();
      }
      isOver = true;
      unwatch(report);
      closeFile(report);
      nodeTimers.clearTimeout(timer);
      cancelSignal?.removeEventListener('abort', cancel);
      let pid = stays ?? announcer ?? first;
      // Nobody has said so: it is where the way of the reports leads.
      if (stays === undefined && announcer === undefined)
        for (let successor = next.get(pid); successor !== undefined; successor = next.get(pid)) pid = successor;
      resolve({ pid, others: [...processes].filter((other) => other !== pid), announced, failure });
    };
    // Unless the plan waits for an answer, the reports can be read at its end: the host need not wake up for each.
    // A thread that may be terminated before has to know of each process as soon as it can.
    const waits = !isMainThread || parts.some((part) => habitsOf(part).waits);
    watch(report, waits ? 'readable' : 'hung up', listen);
    if (failed) abandon(failed.error);
  });
}

/** Whether a process is a child of ours that has not been waited for: only then its pid is surely its own. */
function isOurs(pid: number): boolean {
  return syscall(numbers.waitid, waitIdTypes.P_PID, pid, 0, waitFlags.WEXITED | waitFlags.WNOHANG | waitFlags.WNOWAIT) === 0;
}

/** Receives one report with its sender's pid, and the file that came with it, if one did; its size, 0 at the end, or `-errno`. */
function receive(report: number): number {
  scratch.bytes.writeBigUInt64LE(BigInt(CONTROL_BYTES), MSGHDR + msghdr.offsetOf('msg_controllen'));
  return syscall(numbers.recvmsg, report, scratch.address + MSGHDR, messageFlags.MSG_DONTWAIT | messageFlags.MSG_CMSG_CLOEXEC);
}

function takeFile(onFile: LaunchOptions['onFile']): void {
  if (scratch.bytes.readBigUInt64LE(MSGHDR + msghdr.offsetOf('msg_controllen')) < SENDER_BYTES + cmsgFd.offsetOf('fd')) return;
  const fd = ownedFd(scratch.bytes.readInt32LE(CONTROL + SENDER_BYTES + cmsgFd.offsetOf('fd')), 'handed over by the plan');
  if (onFile) onFile(fd);
  else fd.close();
}

/**
 * Before the plan: end, without a word, if fd 3 is not the report channel (a second run of the walker, by a script whose interpreter is /proc/self/exe: what is there then
 * is nothing, or a file that the caller has given to the program), and let nothing leak into the program.
 */
const prologue: Plan = Object.freeze<Step[]>(beginning());

function beginning(): Step[] {
  const type = new Memory(8, 'type');
  const byteLength = new Memory(Buffer.from(Uint32Array.of(4).buffer), 'length');
  const hosted = label('there is a host');
  return [
    { call: 'getsockopt', args: [REPORT_FD, SOL_SOCKET, SO_TYPE, type, byteLength], purpose: 'is there a host?', tolerates: 'any' },
    { call: 'add', args: [type.u64(), 0], purpose: 'has it a channel there?', jump: { when: '==', than: socketTypes.SOCK_SEQPACKET, to: hosted } },
    { call: 'exit_group', args: [FAILED_STATUS], purpose: 'there is nobody to report to' },
    hosted,
    { call: 'close_range', args: [REPORT_FD, 0xffffffff, closeRangeFlags.CLOSE_RANGE_CLOEXEC], purpose: 'no file of the host is open in the program' },
  ];
}

/** Compiles the plan and spawns it, with the way to the keeper as its first file; the pid, and the host's end of the report channel. */
function start(parts: readonly Plan[], stdio: readonly LaunchStdio[], keeper?: Fd, pidAddress = spawnedPidAddress()): { pid: number; report: number } {
  const given: Fd[] = keeper ? [keeper] : [];
  const fdNumber = (fd: Fd): number => {
    let index = given.indexOf(fd);
    if (index < 0) index = given.push(fd) - 1;
    return REPORT_FD + 1 + index;
  };
  let byteLength = 0;
  compileParts([prologue, ...parts], hostArch(), fdNumber, (needed) => {
    byteLength = needed;
    if (needed > image.bytes.length) {
      image = allocate(needed * 2);
    }
    return image.bytes;
  });
  const limit = REPORT_FD + 1 + given.length;
  const opened: number[] = [];
  try {
    const own = (fd: number, line: string): number => {
      if (fd < 0) throw launchError(line.slice(0, line.indexOf('(')), line, -fd);
      opened.push(fd);
      holdFile(fd);
      return fd;
    };
    /** A source below the limit could be overwritten before it is used. */
    const above = (fd: number): number =>
      fd >= limit ? fd : own(syscall(numbers.fcntl, fd, fcntlCommands.F_DUPFD_CLOEXEC, limit), `fcntl(${fd}, F_DUPFD_CLOEXEC, ${limit})`);
    const memfd = above(own(sealedMemfd(image, byteLength, NAME), 'memfd_create("ctr")'));
    const pair = syscall(numbers.socketpair, socketDomains.AF_UNIX, socketTypes.SOCK_SEQPACKET | socketTypes.SOCK_CLOEXEC, 0, scratch.address + PAIR);
    if (pair < 0) throw launchError('socketpair', 'socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0)', -pair);
    const ours = scratch.bytes.readInt32LE(PAIR);
    const theirs = scratch.bytes.readInt32LE(PAIR + 4);
    opened.push(theirs);
    for (const end of [ours, theirs]) holdFile(end);
    try {
      // The kernel says which process waits: a new one may wait before the old one has reported its pid.
      const told = syscall(numbers.setsockopt, ours, SOL_SOCKET, SO_PASSCRED, scratch.address + ONE, 4);
      if (told < 0) throw launchError('setsockopt', `setsockopt(${ours}, SOL_SOCKET, SO_PASSCRED, 1)`, -told);
      const fds: [number, number][] = [];
      for (const [to, stream] of stdio.entries()) {
        if (stream === 'inherit') fds.push([to, to]);
        else if (stream === 'ignore') fds.push([above(own(syscall(numbers.openat, 0, scratch.address + DEV_NULL, O_RDWR_CLOEXEC), 'openat("/dev/null")')), to]);
        else fds.push([above(stream.number), to]);
      }
      fds.push([above(theirs), REPORT_FD]);
      for (const [i, fd] of given.entries()) fds.push([above(fd.number), REPORT_FD + 1 + i]);
      const pid = spawn(`/proc/self/fd/${memfd}`, fds, pidAddress);
      if (pid < 0) throw launchError('posix_spawn', `posix_spawn("/proc/self/fd/${memfd}", …)`, -pid);
      return { pid, report: ours };
    } catch (error) {
      closeFile(ours);
      throw error;
    }
  } finally {
    for (const fd of opened) closeFile(fd);
  }
}

function launchError(call: string, line: string, errno: number): SyscallError {
  const code = errnoName(errno);
  const hint =
    call !== 'posix_spawn'
      ? hintFor(call, code)
      : code === 'ENOENT'
        ? '/proc has to be mounted for a plan to be started'
        : code === 'EACCES'
          ? 'the sysctl vm.memfd_noexec=2, or a security module, forbids executable memory files'
          : hintFor('clone', code);
  return new SyscallError({ call, line, errno, purpose: 'start a process for the plan', ...(hint !== undefined && { hint }) });
}
