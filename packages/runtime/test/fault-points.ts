// Faults at the steps of a container's set-up, one in each launch, and what became of it. It knows nothing of the tests, so that an ordinary user's process can do it.
import { plan, type ContainerOptions } from '@ctr/runtime';
import { groupName, planGroup, removeGroup } from '@ctr/cgroups';
import { errnos, isSyscallError, launch, signals, waitForHost, type ErrnoName, type Fd, type LaunchOptions, type Step } from '@ctr/syscall';

import { leftovers, sameAs } from './leftovers.js';

/** The step fails with this error, or its process gets this signal before it. */
export type Fault = ErrnoName | FaultSignal;
type FaultSignal = 'SIGKILL' | 'SIGSEGV' | 'SIGSTOP';

/** Which of the steps: every so many, from one on. */
export interface Chosen {
  readonly fault: Fault;
  readonly every: number;
  readonly from: number;
}

/** What became of the launches with one fault. */
export interface Outcomes {
  readonly fault: Fault;
  readonly points: number;
  /** Ended with the error, or the signal, of exactly this step. */
  readonly told: number;
  /** Ended well, since the plan says of the step that this failure is none. */
  readonly tolerated: number;
  /** The steps that are not on the way of this plan on this host: they are of other ways, and what comes after the program. */
  readonly offTheWay: readonly number[];
  /** Anything else. */
  readonly wrong: readonly string[];
  readonly leftBehind: readonly string[];
}

const SETUP_TIMEOUT_MS = 250;
/** What goes on after a fault has to come to an end. */
const END_TIMEOUT_MS = 5000;

/** Launches the container once for each of the chosen steps, some at a time. */
export async function faultsAt(options: ContainerOptions, { fault, every, from }: Chosen): Promise<Outcomes> {
  const outcomes = { fault, points: 0, told: 0, tolerated: 0, offTheWay: [] as number[], wrong: [] as string[], leftBehind: [] as string[] };
  const before = leftovers();
  const { steps } = stepsOf(options);
  const chosen = Array.from({ length: Math.ceil((steps.length - from) / every) }, (_, i) => from + i * every).filter((at) => !waitsForEver(steps[at], fault));
  const atOnce = fault === 'SIGSTOP' ? 24 : 8;
  for (let i = 0; i < chosen.length; i += atOnce) {
    const some = chosen.slice(i, i + atOnce);
    const ends = await Promise.all(some.map((at) => faultAt(options, fault, at)));
    for (const [k, end] of ends.entries()) {
      const at = some[k] ?? 0;
      outcomes.points++;
      if (end === 'told') outcomes.told++;
      else if (end === 'tolerated') outcomes.tolerated++;
      else if (end === 'off the way') outcomes.offTheWay.push(at);
      else outcomes.wrong.push(`${at}: ${end}`);
    }
    await sameAs(before).catch((error: unknown) => outcomes.leftBehind.push(`${some.join(', ')}: ${(error as Error).message}`));
  }
  return outcomes;
}

/** A container with its group, as `start` makes it. */
export function stepsOf(options: ContainerOptions, command: readonly [string, ...string[]] = ['/bin/true']) {
  const group = process.geteuid?.() === 0 ? planGroup(groupName(), { pids: 20 }) : undefined;
  return { group, steps: [...(group?.steps ?? []), ...plan(command, { ...options, cgroup: false })] };
}

async function faultAt(options: ContainerOptions, fault: Fault, at: number): Promise<string> {
  const { group, steps } = stepsOf(options);
  const step = steps[at];
  if (!step) throw new RangeError(`there is no step ${at}`);
  const isInit = options.init === true;
  let master: Fd | undefined;
  const common: LaunchOptions = { stdio: ['ignore', 'ignore', 'ignore'], onFile: (file) => (master = file) };
  const isAfterSetUp = at > steps.findIndex(({ purpose }) => purpose === 'the set-up is done');
  let isReached = false;
  const reached = (): void => {
    isReached = true;
  };
  try {
    const child = await (isSignal(fault) ? signalled(steps, fault, at, common, reached) : failing(steps, step, fault, common));
    const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
    const { code, signal } = await child.exited;
    clearTimeout(timer);
    if (group) await removeGroup(group.directories);
    // The process that was killed had done its part.
    if (code === 0) return tolerates(step, fault) || isReached ? 'tolerated' : 'off the way';
    // An init process tells of the end of the program as a shell does; its own end is that of the container.
    if (isInit && (signal === fault || code === 125 || (isSignal(fault) && code === 128 + signals[fault]))) return 'told';
    return signal === fault && isAfterSetUp ? 'told' : `${step.purpose}: ended ${signal ?? `with exit code ${code}`}`;
  } catch (error) {
    await group?.undo(error);
    const told = isSignal(fault) ? isToldSignal(error, fault, isInit) : isSyscallError(error) && error.code === fault && error.step === at;
    if (told) return 'told';
    if (isInit && /with exit code (125|128)$/.test(String(error))) return 'told';
    if (tolerates(step, fault) && isSyscallError(error) && (error.step ?? 0) > at) return 'told';
    return `${step.purpose}: ${String(error)}`;
  } finally {
    master?.close();
  }
}

/** What waits for signals tries again, as it should: it would do so without end. */
function waitsForEver(step: Step | undefined, fault: Fault): boolean {
  return step?.call === 'rt_sigtimedwait' && fault === 'EINTR';
}

function tolerates({ tolerates: errors = [], onFailure }: Step, fault: Fault): boolean {
  return !isSignal(fault) && (onFailure !== undefined || errors === 'any' || errors.includes(fault));
}

/** The step itself fails: whoever refers to it still does, so it is changed, for as long as the launch compiles it. */
function failing(steps: readonly Step[], step: Step, name: ErrnoName, options: LaunchOptions): ReturnType<typeof launch> {
  const before = { call: step.call, args: step.args };
  const failure: Pick<Step, 'call' | 'args'> = { call: 'add', args: [-errnos[name], 0] };
  try {
    Object.assign(step, failure);
    return launch([...steps], options);
  } finally {
    Object.assign(step, before);
  }
}

function signalled(steps: readonly Step[], signal: FaultSignal, at: number, options: LaunchOptions, reached: () => void): ReturnType<typeof launch> {
  // Returns from a signal that there never was: the kernel finds no such frame on the stack, and forces the signal even on the first process of a pid namespace.
  if (signal === 'SIGSEGV') return launch(steps.toSpliced(at, 0, { call: 'rt_sigreturn', args: [], purpose: 'a crash' }), options);
  // Whatever its namespace is, the host can signal it; inside, the first process of a pid namespace is safe from itself.
  return launch(steps.toSpliced(at, 0, ...waitForHost('the fault')), {
    ...options,
    ...(signal === 'SIGSTOP' && { setupTimeoutMs: SETUP_TIMEOUT_MS }),
    onWaiting: (pid) => {
      reached();
      process.kill(pid, signal);
      return new Promise(() => undefined);
    },
  });
}

function isSignal(fault: Fault): fault is FaultSignal {
  return fault.startsWith('SIG');
}

function isToldSignal(error: unknown, signal: FaultSignal, isInit: boolean): boolean {
  const { message } = error as Error;
  if (signal === 'SIGSTOP') return message === `the set-up of the process did not end within ${SETUP_TIMEOUT_MS} ms`;
  const ended = 'the process ended during its set-up, ';
  return message === `${ended}killed by ${signal}` || (isInit && message === `${ended}with exit code ${128 + signals[signal]}`);
}
