import { label, maskHow, Memory, resultOf, signals, waitFlags, type Arg, type Step } from '@ctr/syscall';

/** Signals that are passed on to the program: all that can be caught, but those the kernel sends for a process's own doing. */
const forwarded = Object.entries(signals)
  .filter(([name]) => !['SIGKILL', 'SIGSTOP', 'SIGCHLD', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGSYS'].includes(name))
  .map(([, number]) => number);

/** The signals that {@link supervise} takes. */
export const passedOn = (): Memory => new Memory(signalSet([...forwarded, signals.SIGCHLD]), 'signals');

/** From here on signals wait until {@link supervise} takes them. */
export function holdSignals(): Step {
  return { call: 'rt_sigprocmask', args: [maskHow.SIG_BLOCK, passedOn(), null, 8], purpose: 'signals wait until they are taken' };
}

/** A process made after {@link holdSignals} gets its signals again. */
export function releaseSignals(): Step {
  return { call: 'rt_sigprocmask', args: [maskHow.SIG_SETMASK, new Memory(8, 'no signals'), null, 8], purpose: 'the program gets its signals' };
}

/**
 * Passes signals on to a process, reaps whatever ends, and is over when that process has ended: its wait status stands in `status` then.
 *
 * @param alone reap that process only: the others are waited for later
 * @see rt_sigtimedwait(2), wait4(2)
 */
export function supervise(pid: Arg, status: Memory, { alone = false }: { readonly alone?: boolean } = {}): Step[] {
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
    args: [passedOn(), null, null, 8],
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
