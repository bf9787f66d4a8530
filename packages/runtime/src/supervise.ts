import { label, maskHow, Memory, resultOf, sigaction, signals, waitFlags, type Arg, type Step } from '@ctr/syscall';

/** Signals that are passed on to the program: all that can be caught, but those the kernel sends for a process's own doing. */
const forwarded = Object.entries(signals)
  .filter(([name]) => !['SIGKILL', 'SIGSTOP', 'SIGCHLD', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGSYS'].includes(name))
  .map(([, number]) => number);

/** What stops a process of a terminal's: Ctrl-Z, and reading from it, or writing to it, in the background. */
const stops: readonly number[] = [signals.SIGTSTP, signals.SIGTTIN, signals.SIGTTOU];

/** How signals are passed on. */
export interface SuperviseOptions {
  /** Reap that process only: the others are waited for later. @default false */
  readonly alone?: boolean;
  /**
   * The signals that stop a job of a shell do so with this process, as with any command of a shell, and the program goes on: it is in a session of its own,
   * so that it has no terminal that they could be about. The first process of a pid namespace cannot be stopped so. @default false
   */
  readonly isJob?: boolean;
}

/** The signals that {@link supervise} takes. */
export const passedOn = ({ isJob = false }: SuperviseOptions = {}): Memory =>
  new Memory(signalSet([...forwarded.filter((number) => !isJob || !stops.includes(number)), signals.SIGCHLD]), 'signals');

/** From here on signals wait until {@link supervise} takes them. */
export function holdSignals(options?: SuperviseOptions): Step {
  return { call: 'rt_sigprocmask', args: [maskHow.SIG_BLOCK, passedOn(options), null, 8], purpose: 'signals wait until they are taken' };
}

const LAST_SIGNAL = 64;

/**
 * Each signal has its default effect in the program, also one that the caller ignores (nohup(1), a shell's background job): that would be inherited.
 *
 * @see execve(2), sigaction(2)
 */
export function defaultSignals(): Step[] {
  const number = new Memory(Buffer.from(BigUint64Array.of(1n).buffer), 'number');
  // EINVAL: SIGKILL and SIGSTOP have no other.
  const set: Step = {
    call: 'rt_sigaction',
    args: [number.u64(), sigaction({ sa_handler: 0 }), null, 8],
    purpose: 'a signal has its default effect',
    tolerates: 'any',
  };
  return [set, { call: 'add', args: [number.u64(), 1], purpose: 'the next signal', into: number.at(0), jump: { when: '<', than: LAST_SIGNAL + 1, to: set } }];
}

/** A process made after {@link holdSignals} gets its signals again. */
export function releaseSignals(): Step {
  return { call: 'rt_sigprocmask', args: [maskHow.SIG_SETMASK, new Memory(8, 'no signals'), null, 8], purpose: 'the program gets its signals' };
}

/**
 * Passes signals on to a process, reaps whatever ends, and is over when that process has ended: its wait status stands in `status` then.
 *
 * @see rt_sigtimedwait(2), wait4(2)
 */
export function supervise(pid: Arg, status: Memory, options: SuperviseOptions = {}): Step[] {
  const { alone = false } = options;
  const listen = label('listen');
  const reap: Step = {
    call: 'wait4',
    args: [alone ? pid : -1, status, waitFlags.WNOHANG | waitFlags.__WALL, null],
    purpose: 'reap what has ended',
    as: 'ended',
    tolerates: ['ECHILD'],
    jump: { when: '<', than: 1, to: listen },
  };
  const wait: Step = {
    call: 'rt_sigtimedwait',
    args: [passedOn(options), null, null, 8],
    purpose: 'wait for a signal',
    as: 'signal',
    tolerates: ['EINTR'],
    jump: { when: '==', than: signals.SIGCHLD, to: reap },
  };
  return [
    listen,
    wait,
    { call: 'kill', args: [pid, resultOf(wait)], purpose: 'pass the signal on', tolerates: 'any', jump: { when: '<', than: 1, to: listen } },
    reap,
    { call: 'add', args: [resultOf(reap), 0], purpose: 'was it the program?', jump: { when: '!=', than: pid, to: reap } },
  ];
}

/** Ends as a shell reports a wait status: with the exit code, or 128 and the signal. */
export function endAs(status: Memory): Step[] {
  const killed: Step = { call: 'add', args: [status.u8(0), 128], purpose: '128 and the signal', as: 'code' };
  const exited: Step = { call: 'exit_group', args: [status.u8(1)], purpose: 'end with its exit code' };
  return [
    { call: 'add', args: [status.u8(0), 0], purpose: 'did it exit by itself?', jump: { when: '==', to: exited } },
    { call: 'add', args: [status.u8(0), 0], purpose: 'did it leave no core?', jump: { when: '<', than: 128, to: killed } },
    { call: 'exit_group', args: [status.u8(0)], purpose: 'the bit that says there is a core is 128' },
    killed,
    { call: 'exit_group', args: [resultOf(killed)], purpose: 'end as a shell does for a signal' },
    exited,
  ];
}

/** A sigset_t of the kernel: 64 bits, signal n at bit n - 1. */
function signalSet(numbers: readonly number[]): Uint8Array {
  let bits = 0n;
  for (const number of numbers) bits |= 1n << BigInt(number - 1);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(bits);
  return bytes;
}
