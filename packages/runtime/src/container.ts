import { collectGarbage, findByName, readStatistics, readUsage, removeGroup, type PlannedGroup, type Statistics, type Usage as GroupUsage } from '@ctr/cgroups';
import { writeIdMaps } from '@ctr/namespaces';
import { checkOptions, Fd, isSyscallError, launch, requireKernel, quote, type Child, type Exit, type LaunchStdio, type SignalName } from '@ctr/syscall';

import { makeScope, requireScope, type ContainerGroup } from './container-scope.js';
import { Master } from './master.js';
import { planContainer, type ContainerPlan } from './plan.js';
import type { Ending, Usage } from './result.js';
import { mapOwners } from './id-mapped-mounts.js';
import { groupsOf } from './own-groups.js';
import { checkSpec, optionNames, type ContainerOptions, type Spec } from './spec.js';

/** How a container is started. */
export interface StartOptions extends ContainerOptions {
  /** stdin, stdout and stderr of the program; a `terminal` takes the place of all three. @default all 'inherit' */
  readonly stdio?: LaunchStdio | readonly [LaunchStdio, LaunchStdio, LaunchStdio];
  /** Kills the container when it fires. */
  readonly cancelSignal?: AbortSignal;
  /** Kills the container when so many milliseconds are over. @default no limit */
  readonly timeoutMs?: number;
}

/** A container that runs. Disposing it kills what runs in it, waits for the end and removes its cgroup. */
export interface Container extends AsyncDisposable {
  /** The name that was given, or a number. */
  readonly name: string;
  /** The pid of its first process on the host. */
  readonly pid: number;
  /** The host's side of the program's terminal, where one was asked for. */
  readonly terminal: Master | undefined;
  /** Settles when the program has ended and nothing of the container is left. Rejects only if something could not be removed. */
  readonly exited: Promise<Ending>;
  /** Sends a signal to its first process. Throws a `RangeError` for one that does not exist. @returns whether it was sent: not after the end */
  kill(signal?: SignalName | number): boolean;
}

let isKernelKnown = false;
const sweeping = new Map<string, Promise<unknown>>();

/**
 * Once in the life of a process for each group above, while its first container there is set up: removes the groups of dead owners. What cannot be removed is no reason not to run:
 * collectGarbage tells of it.
 */
function sweep({ cgroupParent }: Spec): Promise<unknown> {
  const groups = groupsOf(cgroupParent);
  const known = sweeping.get(groups.parent);
  if (known) return known;
  const swept = new Promise((resolve) => setImmediate(resolve)).then(() => collectGarbage(groups)).catch(() => undefined);
  sweeping.set(groups.parent, swept);
  return swept;
}

/**
 * Starts a container and resolves when its program runs.
 *
 * Rejects with a `SyscallError` that names the step which failed, with a `TypeError` or `RangeError` for options that cannot be; then nothing is left of it.
 *
 * @example
 * ```ts
 * import { start } from '@ctr/runtime';
 * const container = await start(['sleep', '60'], { stdio: 'ignore' });
 * container.kill('SIGKILL');
 * const { signal } = await container.exited; // SIGKILL
 * ```
 */
export async function start(command: readonly [string, ...string[]], options: StartOptions = {}): Promise<Container> {
  checkOptions('start', options, [...optionNames, 'stdio', 'cancelSignal', 'timeoutMs']);
  const { stdio = 'inherit', cancelSignal, timeoutMs, ...rest } = options;
  checkStdio(stdio, ['inherit', 'ignore']);
  return startSpec(checkSpec(command, rest), { stdio, ...(cancelSignal && { cancelSignal }), ...(timeoutMs !== undefined && { timeoutMs }) });
}

/** Starts a container whose options have been checked. */
export async function startSpec(
  spec: Spec,
  { stdio = 'inherit', cancelSignal, timeoutMs }: Pick<StartOptions, 'stdio' | 'cancelSignal' | 'timeoutMs'>,
): Promise<Container> {
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs < 2 ** 31))
    throw new RangeError(`timeoutMs is ${timeoutMs}: more than 0 and less than 2147483648 milliseconds`);
  cancelSignal?.throwIfAborted();
  if (!isKernelKnown) requireKernel();
  isKernelKnown = true;
  if (spec.name !== undefined && spec.cgroup && spec.cgroupManager === 'cgroupfs') refuseTaken(spec.name, spec);
  const began = now();
  const container = planContainer(spec);
  if (container.scope) await requireScope(container.scope);
  let master: Fd | undefined;
  let making: Promise<ContainerGroup> | undefined;
  const { scope: planned, idMaps } = container;
  const answer = async (pid: number): Promise<void> => {
    if (!planned || making) return mapIds(container, pid);
    making = makeScope(planned, pid, cancelSignal);
    await making;
  };
  const streams = spec.terminal
    ? (['ignore', 'ignore', 'ignore'] as const)
    : typeof stdio === 'string' || stdio instanceof Fd
      ? ([stdio, stdio, stdio] as const)
      : stdio;
  let child: Child;
  let swept: Promise<unknown> | undefined;
  try {
    const launched = launch(container.parts, {
      stdio: streams,
      onFile: (file) => {
        master = file;
      },
      ...((planned ?? idMaps) && { onWaiting: answer }),
      ...(cancelSignal && { cancelSignal }),
    });
    swept = container.group && container.group.directories.length > 0 ? sweep(spec) : undefined;
    child = await launched;
  } catch (error) {
    master?.close();
    const reason = killedForMemory(error, spec, container.group);
    container.group?.undo(error);
    // What was refused for the scope has ended the process that waited for it: that is the error then.
    const scope = await making;
    await scope?.remove();
    throw reason ?? error;
  }
  const scope = await making;
  return running(spec, scope ?? (container.group && groupOf(container.group)), child, master, swept, began, cancelSignal, timeoutMs);
}

/** Why a set-up has ended early, where it was too much for the container's memory. A step that failed says so itself. */
function killedForMemory(error: unknown, { limits: { memoryBytes } }: Spec, group: PlannedGroup | undefined): Error | undefined {
  if (!(error instanceof Error) || isSyscallError(error) || memoryBytes === undefined || !group?.read().oomKills) return undefined;
  return new Error(`${error.message}: it was at its memory limit, and ${memoryBytes} bytes are too few to set up a container: give it more`, { cause: error });
}

async function mapIds({ idMaps, spec }: ContainerPlan, pid: number): Promise<void> {
  if (idMaps) await writeIdMaps(pid, idMaps);
  mapOwners(spec, pid);
}

function refuseTaken(name: string, { cgroupParent }: Spec): void {
  const other = findByName(name, groupsOf(cgroupParent));
  if (other) throw new Error(`a container named ${quote(name)} runs already, started by pid ${other.pid}: give another name, or end that one first`);
}

/** Throws a `TypeError` for what cannot be a standard stream, or not all three. */
export function checkStdio(stdio: unknown, words: readonly string[]): void {
  const streams: readonly unknown[] = Array.isArray(stdio) ? stdio : [stdio];
  const wanted = `${words.map((word) => quote(word)).join(', ')} or an Fd`;
  if (Array.isArray(stdio) && stdio.length !== 3)
    throw new TypeError(`stdio has ${stdio.length} streams: give three, for stdin, stdout and stderr, or one for all`);
  for (const stream of streams)
    if (!(stream instanceof Fd) && !words.some((word) => word === stream)) throw new TypeError(`stdio is ${quote(stream)}: ${wanted}`);
}

/** Of a group that the plan has made. The plan itself is not kept while the container lives: it is most of what a thousand of them would take. */
function groupOf({ directories }: PlannedGroup): ContainerGroup {
  return { read: () => readUsage(directories), statistics: () => readStatistics(directories), remove: () => removeGroup(directories) };
}

function running(
  spec: Spec,
  group: ContainerGroup | undefined,
  child: Child,
  masterFd: Fd | undefined,
  swept: Promise<unknown> | undefined,
  began: number,
  cancelSignal: AbortSignal | undefined,
  timeoutMs: number | undefined,
): Container {
  // The steps have been taken. What is kept while the container lives is what its end needs.
  const name = spec.name ?? String(child.pid);
  // Nobody has asked for what the default limit counts, and reading it takes a tenth of what the host has to do for a container.
  const { measure } = spec;
  const read = measure || Object.keys(spec.limits).length > 0 ? group?.read : undefined;
  let timedOut = false;
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(
          () => {
            timedOut = child.kill('SIGKILL');
          },
          Math.max(0, timeoutMs - (now() - began)),
        );
  const finish = async (): Promise<Ending> => {
    const exit = await child.exited;
    clearTimeout(timer);
    const measured = read?.();
    const statistics = measure ? group?.statistics() : undefined;
    await group?.remove();
    await swept;
    return {
      exitCode: exit.code,
      signal: exit.signal,
      durationMs: now() - began,
      oomKilled: (measured?.oomKills ?? 0) > 0,
      timedOut,
      isCanceled: cancelSignal?.aborted === true && exit.signal === 'SIGKILL' && !timedOut,
      usage: usageOf(exit, measured, statistics),
    };
  };
  const exited = finish();
  const master = masterFd && new Master(masterFd);
  return {
    name,
    pid: child.pid,
    terminal: master,
    exited,
    kill: (signal) => child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
      master?.close();
    },
  };
}

function usageOf(exit: Exit, measured: GroupUsage | undefined, statistics: Statistics | undefined): Usage {
  const byRusage = exit.userMicroseconds + exit.systemMicroseconds;
  return {
    cpuMicroseconds: measured?.cpuMicroseconds ?? byRusage,
    peakMemoryBytes: measured?.memoryPeakBytes ?? exit.maxResidentBytes,
    peakPids: measured?.pidsPeak,
    pidsMaxHits: measured?.pidsMaxHits,
    statistics,
    source: measured?.cpuMicroseconds === undefined ? 'rusage' : 'cgroup',
  };
}

/** In milliseconds. `performance.now()` is as precise, but Node loads what is behind `performance` when it is first used, in 0.5 ms. */
function now(): number {
  return process.uptime() * 1000;
}
