import { fchownSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';

import {
  checkThawed,
  collectGarbage,
  findByName,
  readStatistics,
  readUsage,
  removeGroup,
  type PlannedGroup,
  type Statistics,
  type Usage as GroupUsage,
} from '@ctr/cgroups';
import { writeIdMaps } from '@ctr/namespaces';
import {
  Fd,
  isSyscallError,
  launch,
  nodeTimers,
  quote,
  removeAtThreadEnd,
  requireKernel,
  signalName,
  type Child,
  type Exit,
  type LaunchStdio,
  type SignalName,
} from '@ctr/syscall';

import { clearNonBlocking } from './blocking.js';
import { makeScope, requireScope, type ContainerGroup } from './container-scope.js';
import { Master } from './master.js';
import { ownerOutside } from './ids.js';
import { checkNames } from './others-words.js';
import { beginWithPipes } from './pipes.js';
import { planContainer, withStreams, type ContainerPlan } from './plan.js';
import { Relays } from './relay/relays.js';
import type { Ending, Usage } from './result.js';
import { mapOwners } from './id-mapped-mounts.js';
import { groupsOf } from './own-groups.js';
import { checkSpec, optionNames, type ContainerOptions, type Spec } from './spec.js';
import { checkStdio, threeOf, type StreamChoice, type Three } from './streams.js';

/** How a container is started. */
export interface StartOptions extends ContainerOptions {
  /**
   * stdin, stdout and stderr of the program; a `terminal` takes the place of all three.
   *
   * - `'inherit'`: a pipe. A relay, which is a process outside of the container, moves what passes between it and the file of this process. The program never has that file.
   *   Of a regular file as stdin it reads a copy: the offset of the caller's file does not move.
   * - `'pipe'`: a pipe to this process, by `stdin`, `stdout` and `stderr` of the container. What nobody reads stays in the pipe, and the program waits.
   * - `'ignore'`, and the null device of the host: the null device of the container's own /dev.
   * - an `Fd`: that open file itself. The program may do to it what its user may: change its mode, owner and offset, read and write a file both ways by /proc/self/fd,
   *   read from a terminal, and leave a set-user-id file on the host if it is root of the host.
   *
   * A directory, or a file that is open as a path only, is a `TypeError`, and so is an inherited regular file that is open to be read as stdin and to be written as stdout or stderr.
   * @default all 'inherit'
   */
  readonly stdio?: 'pipe' | LaunchStdio | readonly ['pipe' | LaunchStdio, 'pipe' | LaunchStdio, 'pipe' | LaunchStdio];
  /**
   * Called when nobody reads a relayed stdout or stderr any more, before the program can know: pid 1 of a pid namespace is not ended by SIGPIPE, and would go on.
   * When it returns, the pipe of the program breaks, unless the container has been killed with SIGKILL. @default the pipe breaks
   */
  readonly onBrokenPipe?: (container: Container) => void;
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
  /** Where the program reads from and writes to, for each of the streams for which `start` was told `'pipe'`. */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** The host's side of the program's terminal, where one was asked for. */
  readonly terminal: Master | undefined;
  /**
   * Settles when the program has ended, all that it wrote to relayed streams is where it belongs, and nothing of the container is left.
   * A reader that does not read is waited for, unless the program was killed (for a second at most), or the container is killed, disposed or cancelled meanwhile.
   * Rejects only if something could not be removed, a file of the caller's fails (ENOSPC, EIO), or a relay was killed (by the OOM killer, say).
   */
  readonly exited: Promise<Ending>;
  /**
   * Sends a signal to its first process. After the end of that, one that asks for an end (HUP, INT, QUIT, KILL, TERM) drops what a reader has not taken yet.
   * Throws a `RangeError` for one that does not exist. @returns whether it was of use: not after the end
   */
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
  const swept = new Promise((resolve) => nodeTimers.setImmediate(resolve)).then(() => collectGarbage(groups)).catch(() => undefined);
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
export async function start(command: readonly string[], options: StartOptions = {}): Promise<Container> {
  checkNames('start', options, [...optionNames, 'stdio', 'onBrokenPipe', 'cancelSignal', 'timeoutMs']);
  const { stdio = 'inherit', onBrokenPipe, cancelSignal, timeoutMs, ...rest } = options;
  checkStdio(stdio, ['pipe', 'inherit', 'ignore']);
  const spec = checkSpec(command, rest);
  const begin = (given: Start['stdio']): Promise<Container> =>
    startSpec(spec, {
      stdio: given,
      ...(onBrokenPipe && { onBrokenPipe }),
      ...(cancelSignal && { cancelSignal }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
  const choices = threeOf(stdio);
  if (!choices.includes('pipe')) return begin(choices as Three<LaunchStdio>);
  if (spec.terminal) throw new TypeError("a terminal takes the place of all three streams: stdio cannot be 'pipe' as well");
  return beginWithPipes(choices, (pipes) => begin(pipes.choices));
}

/** What a start takes beside what a container is made of. */
interface Start extends Pick<StartOptions, 'onBrokenPipe' | 'cancelSignal' | 'timeoutMs'> {
  readonly stdio: StreamChoice | Three<StreamChoice>;
}

/** Starts a container whose options have been checked. */
export async function startSpec(asked: Spec, options: Start): Promise<Container> {
  const { stdio, cancelSignal, timeoutMs } = options;
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs < 2 ** 31))
    throw new RangeError(`timeoutMs is ${timeoutMs}: more than 0 and less than 2147483648 milliseconds`);
  cancelSignal?.throwIfAborted();
  const { spec, streams } = withStreams(asked, stdio);
  if (!isKernelKnown) requireKernel();
  isKernelKnown = true;
  if (spec.name !== undefined && spec.cgroup && spec.cgroupManager === 'cgroupfs') refuseTaken(spec.name, spec);
  const began = nodeTimers.now();
  const container = planContainer(spec);
  if (container.scope) await requireScope(container.scope);
  else if (container.group) checkThawed(container.group);
  let master: Fd | undefined;
  let making: Promise<ContainerGroup> | undefined;
  const { scope: planned, idMaps } = container;
  const answer = async (pid: number): Promise<void> => {
    if (!planned || making) return mapIds(container, pid);
    making = makeScope(planned, pid, cancelSignal);
    await making;
  };
  let child: Child;
  let launched: Promise<Child> | undefined;
  let relays: Relays | undefined;
  let swept: Promise<unknown> | undefined;
  const directories = container.group?.directories.map(removeAtThreadEnd) ?? [];
  const letGo = (): void => {
    for (const directory of directories) directory[Symbol.dispose]();
  };
  try {
    relays = new Relays(streams);
    giveAway(spec, relays.given);
    launched = launch(container.parts, {
      stdio: relays.given,
      onFile: (file) => {
        master = file;
      },
      ...((planned ?? idMaps) && { onWaiting: answer }),
      ...(cancelSignal && { cancelSignal }),
    });
    swept = container.group && container.group.directories.length > 0 ? sweep(spec) : undefined;
    [child] = await Promise.all([launched, relays.start()]);
  } catch (error) {
    await launched?.then(
      (alone) => alone[Symbol.asyncDispose](),
      () => undefined,
    );
    await relays?.abandon();
    master?.close();
    const reason = killedForMemory(error, spec, container.group);
    // Why it did not start is worth more than what stays of the group, which the next sweep removes.
    await container.group?.undo(error).then(letGo, () => undefined);
    // What was refused for the scope has ended the process that waited for it: that is the error then.
    const scope = await making;
    await scope?.remove();
    throw reason ?? error;
  }
  const scope = await making;
  return running(spec, scope ?? (container.group && groupOf(container.group, letGo)), child, relays, master, swept, began, options);
}

/** The largest pages that arm64 has. */
const MAX_PAGE_BYTES = 65_536;

/** Why a set-up was killed, where it was too much for the container's memory. A step that failed says so itself. */
function killedForMemory(error: unknown, { limits: { memoryBytes } }: Spec, group: PlannedGroup | undefined): Error | undefined {
  if (!(error instanceof Error) || isSyscallError(error) || typeof memoryBytes !== 'number' || !group) return undefined;
  const { oomKills = 0, memoryPeakBytes = 0 } = group.read();
  // Linux 6.18 does not count each kill of so small a v1 group. A limit is kept in whole pages.
  const isAtLimit = memoryPeakBytes > memoryBytes - MAX_PAGE_BYTES;
  if (oomKills === 0 && !isAtLimit) return undefined;
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

/** Of a group that the plan has made. The plan itself is not kept while the container lives: it is most of what a thousand of them would take. */
function groupOf({ directories }: PlannedGroup, letGo: () => void): ContainerGroup {
  return { read: () => readUsage(directories), statistics: () => readStatistics(directories), remove: () => removeGroup(directories).then(letGo) };
}

function running(
  spec: Spec,
  group: ContainerGroup | undefined,
  child: Child,
  relays: Relays,
  masterFd: Fd | undefined,
  swept: Promise<unknown> | undefined,
  began: number,
  { cancelSignal, timeoutMs, onBrokenPipe }: Start,
): Container {
  // The steps have been taken. What is kept while the container lives is what its end needs.
  const name = spec.name ?? String(child.pid);
  // Nobody has asked for what the default limit counts, and reading it takes a tenth of what the host has to do for a container.
  const { measure } = spec;
  const read = measure || Object.keys(spec.limits).length > 0 ? group?.read : undefined;
  let timedOut = false;
  let isKilled = false;
  // From the end of the program until its readers have everything.
  let isDelivering = false;
  const kill: Container['kill'] = (signal = 'SIGTERM') => {
    const sent = child.kill(signal);
    const name = typeof signal === 'number' ? signalName(signal) : signal;
    if (sent) isKilled ||= name === 'SIGKILL';
    else if (isDelivering && endings.has(name)) relays.stop();
    else return false;
    return true;
  };
  const cancel = (): void => void kill('SIGKILL');
  const timer =
    timeoutMs === undefined
      ? undefined
      : nodeTimers.setTimeout(
          () => {
            timedOut = kill('SIGKILL');
          },
          Math.max(0, timeoutMs - (nodeTimers.now() - began)),
        );
  const finish = async (): Promise<Ending> => {
    const exit = await child.exited;
    const measured = read?.();
    const statistics = measure ? group?.statistics() : undefined;
    isDelivering = true;
    cancelSignal?.addEventListener('abort', cancel, { once: true });
    let isDelivered;
    try {
      // The processes of the group that hold a pipe open end with it. A process outside that a program has sent its end to keeps it open for as long as it likes.
      await group?.remove();
      isDelivered = await relays.delivered({ wasKilled: exit.signal !== undefined });
    } finally {
      isDelivering = false;
      nodeTimers.clearTimeout(timer);
      cancelSignal?.removeEventListener('abort', cancel);
      await relays.abandon();
    }
    await swept;
    return {
      exitCode: exit.code,
      signal: exit.signal,
      durationMs: nodeTimers.now() - began,
      oomKilled: (measured?.oomKills ?? 0) > 0,
      timedOut,
      isCanceled: cancelSignal?.aborted === true && (exit.signal === 'SIGKILL' || !isDelivered) && !timedOut,
      outputDropped: !isDelivered,
      usage: usageOf(exit, measured, statistics),
    };
  };
  const exited = finish();
  const master = masterFd && new Master(masterFd);
  const container: Container = {
    name,
    pid: child.pid,
    stdin: null,
    stdout: null,
    stderr: null,
    terminal: master,
    exited,
    kill,
    async [Symbol.asyncDispose]() {
      kill('SIGKILL');
      await exited;
      master?.close();
    },
  };
  relays.handedOver(
    onBrokenPipe &&
      (() => {
        onBrokenPipe(container);
        return !isKilled;
      }),
  );
  return container;
}

/** Signals that ask for an end. */
const endings: ReadonlySet<string> = new Set<SignalName>(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGKILL', 'SIGTERM']);

/** The pipes that were made for the container belong to its user, who opens them anew by /dev/stdout. Files of the caller are the program's to wait for. */
function giveAway(spec: Spec, given: Three<LaunchStdio>): void {
  const owner = ownerOutside(spec);
  for (const [fd, file] of given.entries()) {
    const kind = spec.streams[fd];
    if (kind === 'given' && file instanceof Fd) clearNonBlocking(file.number);
    if (owner && file instanceof Fd && (kind === 'relayed' || kind === 'pipe')) fchownSync(file.number, owner.uid, owner.gid);
  }
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
