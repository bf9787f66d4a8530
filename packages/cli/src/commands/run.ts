import { existsSync } from 'node:fs';

import { plan, start, type Container, type ContainerOptions, type Ending, type PlanOptions } from '@ctr/runtime';
import { Fd, nodePath, printable, signals as numbers } from '@ctr/syscall';

import { CallerTerminal, terminalSize } from '../caller-terminal.js';
import { checkBesideBundle } from '../beside-bundle.js';
import { readCommandLine } from '../command-line.js';
import { commandOf, containerOptions } from '../container-options.js';
import { isHandled } from '../disposition.js';
import { printPlan, printPosture } from '../dry-run.js';
import { isTerminal } from '../is-terminal.js';
import { bundles } from '../lazy.js';
import { printError, styled } from '../print.js';
import { progress } from '../progress.js';
import type { Settings } from '../settings.js';
import { SignalForwarding } from '../signals.js';
import { statsLine } from '../stats.js';
import { UsageError } from '../usage-error.js';

const TIMED_OUT = 124;
/** What a signal adds to its number to make an exit code. */
const SIGNALED = 128;

type Command = readonly [string, ...string[]];

/** `ctr run [OPTIONS] COMMAND …`: runs it in a new container, and resolves to the exit code that its end means. */
export async function run(args: readonly string[]): Promise<number> {
  const line = readCommandLine('run', args);
  if (!line) return 0;
  const { settings, rest } = line;
  if (settings.session && settings.terminal)
    throw new UsageError('--no-new-session', undefined, 'a terminal of its own (-t) needs a session of its own: give one of them');
  if (settings.passThrough && settings.terminal) throw new UsageError('-T', undefined, 'it means no terminal, and -t a terminal: give one of them');
  if (settings.json && !settings.dryRun && !settings.showPosture) throw new UsageError('--json', undefined, 'it is for --dry-run and --show-posture');
  const atTerminal = isTerminal(0) && isTerminal(1);
  if (settings.oci !== undefined) {
    checkBesideBundle(settings, rest);
    return (await bundles()).runBundle(settings.oci, settings);
  }
  const command = commandOf('run', rest.length === 0 && atTerminal ? [shell(settings)] : rest);
  const withTerminal = !settings.passThrough && (settings.terminal ?? atTerminal);
  const options: ContainerOptions = {
    // At a prompt, what works counts more than a few milliseconds.
    ids: 'granted',
    ...containerOptions(settings),
    ...(withTerminal && { terminal: terminalSize() }),
    // Only root can be sure to have a cgroup to measure with; the kernel counts for everyone.
    ...(settings.stats && process.geteuid?.() === 0 && { measure: true }),
  };
  if (settings.showPosture) {
    printPosture(plan(command, { ...options, stdio: streamsOf(settings) }), settings);
    return 0;
  }
  if (settings.dryRun) {
    printPlan(plan(command, { ...options, stdio: streamsOf(settings) }), settings);
    return 0;
  }
  announce(command, settings);
  const ended = await contain(command, options, settings);
  if (ended.ending?.oomKilled && !settings.quiet)
    printError(`${styled('red', 'ctr:')} the kernel has killed a process of the container, which was at its memory limit\n`);
  if (settings.stats && ended.ending) printError(`${statsLine(ended.ending)}\n`);
  return ended.exitCode;
}

/** `Running [sh -c …]`, as the program that this one is modelled on says; only to people. */
export function announce(command: Command, { quiet }: Settings): void {
  if (!quiet && isTerminal(2)) printError(`Running [${printable(command.join(' '))}]\n`);
}

function shell({ rootfs = '' }: Settings): string {
  return existsSync(nodePath(`${rootfs}/bin/bash`)) ? 'bash' : 'sh';
}

/** How it came out; there is no ending where a signal has stopped the set-up. */
interface Outcome {
  readonly exitCode: number;
  readonly ending: Ending | undefined;
}

async function contain(command: Command, options: ContainerOptions, settings: Settings): Promise<Outcome> {
  const { timeoutMs } = settings;
  const signals = new SignalForwarding();
  let broken = false;
  let container: Container;
  const breakPipe = (running: Container): void => {
    if (!isHandled(running.pid, numbers.SIGPIPE)) broken = running.kill('SIGKILL');
  };
  try {
    container = await start(command, {
      ...options,
      stdio: streamsOf(settings),
      cancelSignal: signals.cancelSignal,
      ...(isPidOne(options) && { onBrokenPipe: breakPipe }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
  } catch (error) {
    signals.stop();
    if (signals.killedFor) return { exitCode: SIGNALED + numbers[signals.killedFor], ending: undefined };
    throw error;
  }
  signals.attach(container);
  const terminal = container.terminal && new CallerTerminal(container, container.terminal, signals, () => breakPipe(container));
  let ending: Ending | undefined;
  try {
    ending = await container.exited;
  } finally {
    if (terminal && !(await terminal.close(ending)) && ending) ending = { ...ending, outputDropped: true };
    signals.stop();
  }
  progress.hasRun = true;
  return { exitCode: exitCode(ending, signals, broken), ending };
}

/** Whether the program is the first process of a pid namespace, to which signals mean less. */
function isPidOne({ init, namespaces }: ContainerOptions): boolean {
  return !init && (namespaces?.pid ?? 'new') === 'new';
}

/** What the program gets: relays, or the files of the caller themselves. */
function streamsOf({ passThrough }: Settings): NonNullable<PlanOptions['stdio']> {
  return passThrough ? [new Fd(0, 'stdin'), new Fd(1, 'stdout'), new Fd(2, 'stderr')] : 'inherit';
}

function exitCode({ exitCode: code, signal, timedOut, outputDropped }: Ending, signals: SignalForwarding, broken: boolean): number {
  if (timedOut) return TIMED_OUT;
  if (broken) return SIGNALED + numbers.SIGPIPE;
  const killedFor = signals.killedFor ?? (outputDropped && signal === undefined ? signals.last : undefined);
  if (killedFor) return SIGNALED + numbers[killedFor];
  return signal === undefined ? (code ?? 0) : SIGNALED + (numbers[signal] ?? realTime(signal));
}

/** SIGRTMIN+n */
function realTime(signal: string): number {
  return 34 + Number(/\d+$/.exec(signal)?.[0] ?? 0);
}
