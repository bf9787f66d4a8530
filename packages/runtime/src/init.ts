import { label, maskHow, Memory, prctlOptions, resultOf, signals, waitFlags, type Step } from '@ctr/syscall';

/** Signals that are passed on to the program: all that can be caught, but those the kernel sends for this process's own doing. */
const forwarded = Object.entries(signals)
  .filter(([name]) => !['SIGKILL', 'SIGSTOP', 'SIGCHLD', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGSYS'].includes(name))
  .map(([, number]) => number);

/**
 * pid 1 of the container stays with the plan: it makes the process that the program runs in, passes signals on to it, reaps every orphan,
 * and ends with the program's exit code (128 + n for signal n). What follows these steps goes on in the new process.
 *
 * @see pid_namespaces(7): an init that does not reap leaves zombies behind
 */
export function init({ subreaper }: { readonly subreaper: boolean }): Step[] {
  const set = new Memory(signalSet([...forwarded, signals.SIGCHLD]), 'signals');
  const none = new Memory(signalSet([]), 'no signals');
  const status = new Memory(16, 'status');
  const program = label('the process of the program');
  const killed: Step = { call: 'add', args: [status.u8(0), 128], purpose: '128 and the signal', as: 'code' };
  const exited: Step = { call: 'exit_group', args: [status.u8(1)], purpose: "the program's exit code" };
  const fork: Step = { call: 'clone', args: [signals.SIGCHLD, 0, null, null, null], purpose: 'a process for the program', as: 'program', jump: { when: '==', to: program } };
  const listen = label('listen');
  const reap: Step = {
    call: 'wait4',
    args: [-1, status, waitFlags.WNOHANG | waitFlags.__WALL, null],
    purpose: 'reap what has ended',
    as: 'ended',
    tolerates: ['ECHILD'],
    jump: { when: '<', than: 1, to: listen },
  };
  const wait: Step = {
    call: 'rt_sigtimedwait',
    args: [set, null, null, 8],
    purpose: 'wait for a signal',
    as: 'signal',
    tolerates: ['EINTR'],
    jump: { when: '==', than: signals.SIGCHLD, to: reap },
  };
  return [
    ...(subreaper ? [{ call: 'prctl', args: [prctlOptions.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0], purpose: 'orphans come to this process' } satisfies Step] : []),
    { call: 'rt_sigprocmask', args: [maskHow.SIG_BLOCK, set, null, 8], purpose: 'signals wait until they are taken' },
    fork,
    { call: 'close', args: [3], purpose: 'only the program reports from here on', tolerates: 'any' },
    listen,
    wait,
    { call: 'kill', args: [resultOf(fork), resultOf(wait)], purpose: 'pass the signal on', tolerates: 'any', jump: { when: '<', than: 1, to: listen } },
    reap,
    { call: 'add', args: [resultOf(reap), 0], purpose: 'was it the program?', jump: { when: '!=', than: resultOf(fork), to: reap } },
    { call: 'add', args: [status.u8(0), 0], purpose: 'did it exit by itself?', jump: { when: '==', to: exited } },
    { call: 'add', args: [status.u8(0), 0], purpose: 'did it leave no core?', jump: { when: '<', than: 128, to: killed } },
    { call: 'exit_group', args: [status.u8(0)], purpose: '128 and the signal: the bit of a core dump is 128' },
    killed,
    { call: 'exit_group', args: [resultOf(killed)], purpose: 'as a shell reports a signal' },
    exited,
    program,
    { call: 'rt_sigprocmask', args: [maskHow.SIG_SETMASK, none, null, 8], purpose: 'the program gets its signals' },
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
