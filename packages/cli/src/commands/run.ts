import { existsSync } from 'node:fs';

import { plan, start, type Container, type ContainerOptions, type Ending } from '@ctr/runtime';
import { signals as numbers, printable } from '@ctr/syscall';

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
import { Relay } from '../relay.js';
import type { Settings } from '../settings.js';
import { SignalForwarding } from '../signals.js';
import { statsLine } from '../stats.js';
import { UsageError } from '../usage-error.js';

const TIMED_OUT = 124;
/** What a signal adds to its number to make an exit code. */
const SIGNALED = 128;
/** How long the reader of a killed program's output may take to read the rest. */
const GRACE_MS = 1000;

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
    printPosture(plan(command, options), settings);
    return 0;
  }
  if (settings.dryRun) {
    printPlan(plan(command, options), settings);
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
  return existsSync(`${rootfs}/bin/bash`) ? 'bash' : 'sh';
}

/** How it came out; there is no ending where a signal has stopped the set-up. */
interface Outcome {
  readonly exitCode: number;
  readonly ending: Ending | undefined;
}

async function contain(command: Command, options: ContainerOptions, { passThrough, timeoutMs }: Settings): Promise<Outcome> {
  const relay = passThrough || options.terminal || !isPidOne(options) ? undefined : Relay.forStdout();
  const signals = new SignalForwarding();
  const starting = start(command, {
    ...options,
    cancelSignal: signals.cancelSignal,
    ...(relay && { stdio: relay.stdio }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  let container: Container;
  try {
    [container] = await Promise.all([starting, relay?.started()]);
  } catch (error) {
    relay?.close();
    signals.stop();
    await starting.then(
      (alone) => alone[Symbol.asyncDispose](),
      () => undefined,
    );
    if (signals.killedFor) return { exitCode: SIGNALED + numbers[signals.killedFor], ending: undefined };
    throw error;
  }
  relay?.handedOver();
  signals.attach(container);
  let broken = false;
  const breakPipe = (): void => {
    if (isHandled(container.pid, numbers.SIGPIPE)) relay?.close();
    else broken = container.kill('SIGKILL');
  };
  const terminal = container.terminal && new CallerTerminal(container, container.terminal, signals, breakPipe);
  const moved = relay?.isBroken.then((isBroken) => isBroken && breakPipe());
  const ending = await container.exited;
  await terminal?.close();
  if (relay && moved) await rest(relay, moved, signals, ending.signal !== undefined);
  relay?.close();
  signals.stop();
  progress.hasRun = true;
  return { exitCode: exitCode(ending, signals, broken), ending };
}

/** Whether the program is the first process of a pid namespace, to which signals mean less. */
function isPidOne({ init, namespaces }: ContainerOptions): boolean {
  return !init && (namespaces?.pid ?? 'new') === 'new';
}

/** Waits until the reader has everything. It may take its time with what a program has left, but not with what one has that was killed. */
async function rest(relay: Relay, moved: Promise<unknown>, signals: SignalForwarding, wasKilled: boolean): Promise<void> {
  signals.detach((signal) => {
    signals.killedFor ??= signal;
    relay.stop();
  });
  const timer = wasKilled ? setTimeout(() => relay.stop(), GRACE_MS) : undefined;
  await moved;
  clearTimeout(timer);
}

function exitCode({ exitCode: code, signal, timedOut }: Ending, { killedFor }: SignalForwarding, broken: boolean): number {
  if (timedOut) return TIMED_OUT;
  if (broken) return SIGNALED + numbers.SIGPIPE;
  if (killedFor) return SIGNALED + numbers[killedFor];
  return signal === undefined ? (code ?? 0) : SIGNALED + (numbers[signal] ?? realTime(signal));
}

/** SIGRTMIN+n */
function realTime(signal: string): number {
  return 34 + Number(/\d+$/.exec(signal)?.[0] ?? 0);
}
