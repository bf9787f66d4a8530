import { frozenBy, type Place } from '@ctr/cgroups';
import { launch, openFd, quote, type Child, type Fd } from '@ctr/syscall';

import type { Process } from '../config/process.js';
import { environmentOf } from '../environment.js';
import { OciError } from '../error.js';
import { ConfigError, parseConfig } from '../parse-config.js';
import { planExec } from '../plan/exec.js';
import { belowAt, type GroupBelow } from '../plan/into-container.js';
import { streamsOf, waitForStreams, type Streams } from '../plan/streams.js';
import { StateDirectory } from '../state/directory.js';
import { openProcess } from '../state/identity.js';
import { defaultRoot } from '../state/root.js';
import { statusOf } from '../state/status.js';
import { readConfig, readState } from '../state/stored.js';
import { checkProcess } from '../validate.js';
import { sendPidfd } from './console-socket.js';
import { checkConsole, handOverConsole } from './console.js';
import type { CreateOptions } from './create.js';
import { NO_TIMEOUT_MS } from './no-timeout.js';
import { passedFiles } from './passed-files.js';
import { writePidFile } from './pid-file.js';
import { withReadOnlyNull } from './read-only-null.js';
import { notifies, sendListener } from './seccomp-listener.js';
import { stateOf } from './state-of.js';
import { withPipes, type PipedChild } from './with-pipes.js';

/** How a further process of a container is started. */
export interface ExecOptions extends Omit<CreateOptions, 'newKeyring' | 'cgroup' | 'cgroupManager' | 'listenFds' | 'pivot'> {
  /** Also in a container that is paused: the process does not get far until it is resumed. @default false */
  readonly ignorePaused?: boolean;
  /** A group below that of the container, which is there already: in all hierarchies or, by the names of controllers, in some of v1. @default that of the container */
  readonly cgroup?: string | Readonly<Record<string, string>>;
}

/** A process that is put into a frozen group does not get far. */
function requireThawedBelow(places: readonly Place[], below: GroupBelow): void {
  for (const place of places) {
    const by = frozenBy(`${place.directory}/${belowAt(place, below)}`);
    if (by !== undefined) throw new OciError('paused', `cannot exec in a paused container: ${by} is frozen (use --ignore-paused to override)`);
  }
}

/**
 * Starts a further process in a container, and resolves when its program runs. It is a child of this process.
 *
 * Rejects with an {@link OciError} (`does-not-exist`, `not-running`, `paused`), and with a `SyscallError` that names the step which failed.
 *
 * @param process the program and its rights, or a change of what the container was created with
 * @example
 * ```ts no-run
 * import { exec } from '@ctr/oci';
 * const child = await exec('web', (own) => ({ ...own, args: ['id'] }));
 * console.log((await child.exited).code);
 * ```
 */
export function exec(id: string, process: Process | ((own: Process) => Process), options: ExecOptions = {}): Promise<PipedChild> {
  return withPipes(options.stdio, (stdio) => execWith(id, process, options, stdio));
}

async function execWith(id: string, process: Process | ((own: Process) => Process), options: ExecOptions, stdio: Streams | undefined): Promise<Child> {
  using directory = StateDirectory.open(options.root ?? defaultRoot(), id);
  const stored = readState(directory);
  const status = statusOf(directory, stored);
  if (status === 'stopped' || status === 'creating') throw new OciError('not-running', 'cannot exec in a stopped container');
  if (status === 'paused' && !options.ignorePaused) throw new OciError('paused', 'cannot exec in a paused container (use --ignore-paused to override)');
  if (options.cgroup !== undefined && !options.ignorePaused) requireThawedBelow(stored.places, options.cgroup);
  const config = parseConfig(readConfig(directory));
  const own = config.process;
  if (!own) throw new OciError('broken', `container ${id}: it was created without a process`);
  const { value: given, problems } = checkProcess(withSettingsOf(own, typeof process === 'function' ? process(own) : process));
  if (problems.some(({ severity }) => severity === 'error')) throw new ConfigError(problems);
  const warn = options.onWarning ?? (() => undefined);
  checkConsole(given, options);
  using pidfd = stored.process && openProcess(stored.process);
  if (!stored.process || !pidfd) throw new OciError('not-running', 'cannot exec in a stopped container');
  using proc = openFd('/proc', { directory: true });
  const passed = passedFiles(options.preserveFds ?? 0);
  const opened: Fd[] = [];
  let console: Fd | undefined;
  let listener: Fd | undefined;
  try {
    const streams = withReadOnlyNull(streamsOf(given.terminal, stdio), opened);
    const plan = planExec({
      config,
      process: given,
      pid: stored.process.pid,
      pidfd,
      places: stored.places,
      below: options.cgroup ?? '',
      proc,
      passed,
      environment: environmentOf(given, stored.rootfs),
      plainLineFeeds: options.plainLineFeeds ?? false,
      streams,
      warn,
    });
    options.onDebug?.(`container ${quote(id)}: the plan of a further process has ${plan.length} steps, into the namespaces of process ${stored.process.pid}`);
    const seccomp = config.linux?.seccomp;
    waitForStreams(streams);
    const child = await launch(plan, {
      stdio: streams,
      onWaiting: (pid) => {
        if (seccomp && notifies(seccomp) && listener) sendListener(seccomp, listener, stateOf(directory, stored), pid);
      },
      onFile: (file) => {
        if (given.terminal && !console) console = file;
        else listener = file;
      },
      ...(options.detached !== undefined && { detached: options.detached }),
      // It takes as long as the container is paused.
      ...(options.ignorePaused && { setupTimeoutMs: NO_TIMEOUT_MS }),
      ...(options.cancelSignal && { cancelSignal: options.cancelSignal }),
    });
    try {
      const master = console;
      console = undefined;
      handOverConsole(master, options);
      if (options.pidfdSocket !== undefined) sendPidfd(options.pidfdSocket, child.pid);
      if (options.pidFile !== undefined) writePidFile(options.pidFile, child.pid);
    } catch (error) {
      child.kill('SIGKILL');
      if (!options.detached) await child.exited;
      throw error;
    }
    options.onDebug?.(`container ${quote(id)}: the further process is ${child.pid}`);
    return child;
  } finally {
    for (const file of [...passed, ...opened, console, listener]) file?.close();
  }
}

/** What a further process says nothing of is as for the first one: a file of `exec --process` rarely has these settings. */
function withSettingsOf({ execCPUAffinity, scheduler, ioPriority }: Process, given: Process): Process {
  return { ...(execCPUAffinity && { execCPUAffinity }), ...(scheduler && { scheduler }), ...(ioPriority && { ioPriority }), ...given };
}
