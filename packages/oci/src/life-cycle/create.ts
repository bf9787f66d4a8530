import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { readLayout, removeGroup } from '@ctr/cgroups';
import { writeIdMaps } from '@ctr/namespaces';
import { explainCall, launch, requireKernel, type Child, type Fd, type LaunchStdio, type Plan } from '@ctr/syscall';

import type { Config } from '../config/config.js';
import type { Process } from '../config/process.js';
import { environmentOf } from '../environment.js';
import { parseConfig } from '../parse-config.js';
import { cgroupOf } from '../plan/cgroup.js';
import { planContainer, type ContainerParts } from '../plan/container.js';
import { foreignNamespaces, joinAll } from '../plan/join-all.js';
import { idMapsOf, namespacesOf } from '../plan/namespaces.js';
import { problemText } from '../schema/problem.js';
import type { State } from '../state.js';
import { StateDirectory } from '../state/directory.js';
import { makeGate } from '../state/gate.js';
import { identityOf, openProcess } from '../state/identity.js';
import { defaultRoot } from '../state/root.js';
import { writeConfig, writeState, type StoredState, type StoredStep } from '../state/stored.js';
import { sendConsole } from './console-socket.js';
import { runHooks } from './hooks.js';
import { passedFiles } from './passed-files.js';
import { writePidFile } from './pid-file.js';
import type { RootOptions } from './root-options.js';
import { notifies, sendListener } from './seccomp-listener.js';

/** How a container is created. */
export interface CreateOptions extends RootOptions {
  /** stdin, stdout and stderr of the program. Without effect where it has a terminal. @default all 'inherit' */
  readonly stdio?: readonly [LaunchStdio, LaunchStdio, LaunchStdio];
  /** The path of a socket that is sent the master of the program's terminal. */
  readonly consoleSocket?: string;
  /** Gets the master of the program's terminal, where there is no socket; the callee closes it. */
  readonly onConsole?: (master: Fd) => void;
  /** A file that the pid is written to. */
  readonly pidFile?: string;
  /** So many files of the caller, from fd 3 on, are those of the program as well. @default 0 */
  readonly preserveFds?: number;
  /** Whether the program has a session keyring of its own. @default true */
  readonly newKeyring?: boolean;
  /** Whether it is put into a cgroup. @default true */
  readonly cgroup?: boolean;
  /**
   * Leave it to whoever becomes its parent when this process ends, and learns how it ended: what an engine is. The promise of its end never settles then. @default false
   */
  readonly detached?: boolean;
  /** Is told what has no effect. */
  readonly onWarning?: (message: string) => void;
  readonly cancelSignal?: AbortSignal;
}

/** What a plan that is kept from one command to the next has of a step. */
const MAX_LINE = 1024;

/**
 * Creates a container: all of it is made, and its first process waits for {@link start}, with nothing else of this runtime running.
 *
 * Rejects with a `ConfigError` for a config that cannot be, an {@link OciError} (`exists`, `invalid-id`, `hook`), a `SyscallError` that names the step which failed. Nothing is left then.
 *
 * @param bundle a directory with a `config.json`
 * @returns its first process
 * @see https://github.com/opencontainers/runtime-spec/blob/main/runtime.md#create
 */
export async function create(bundle: string, id: string, options: CreateOptions = {}): Promise<Child> {
  requireKernel();
  const directory = resolve(bundle);
  const text = readFileSync(join(directory, 'config.json'));
  const warn = options.onWarning ?? (() => undefined);
  const config = parseConfig(text, { onWarning: (problem) => warn(problemText(problem)) });
  const { process } = config;
  if (!process) throw new TypeError('the config has no process, which is what a container runs');
  checkConsole(process, options);
  const rootfs = resolve(directory, config.root.path);
  if (!statSync(rootfs, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`the root file system ${rootfs} is no directory, or not there: no such file or directory`);

  const state = StateDirectory.create(options.root ?? defaultRoot(), id);
  const opened: Fd[] = [];
  try {
    using _lock = await state.lock();
    return await createIn(state, { config, process, bundle: directory, rootfs, text: text.toString(), warn, opened }, options);
  } catch (error) {
    state.remove();
    throw error;
  } finally {
    for (const fd of opened) fd.close();
  }
}

interface Given extends Pick<ContainerParts, 'config' | 'process' | 'bundle' | 'rootfs' | 'warn'> {
  readonly text: string;
  readonly opened: Fd[];
}

async function createIn(directory: StateDirectory, given: Given, options: CreateOptions): Promise<Child> {
  const { config, process, bundle, rootfs, opened, text } = given;
  const { hooks = {} } = config;
  const namespaces = namespacesOf(config, opened);
  const layout = readLayout();
  const rootless = globalThis.process.geteuid?.() !== 0;
  const group = options.cgroup === false ? undefined : cgroupOf(config, directory.id, layout, { rootless });
  const passed = passedFiles(options.preserveFds ?? 0);
  opened.push(...passed);
  const hasHooks = [hooks.prestart, hooks.createRuntime, hooks.createContainer].some((list) => list && list.length > 0);
  using gate = makeGate(directory);
  const seccomp = config.linux?.seccomp;
  const plan = planContainer({
    ...given,
    namespaces,
    layout,
    group,
    gate,
    passed,
    hasHooks,
    environment: environmentOf(process, rootfs),
    newKeyring: options.newKeyring ?? true,
  });
  const stored: StoredState = {
    version: 1,
    ociVersion: config.ociVersion,
    id: directory.id,
    bundle,
    rootfs,
    created: new Date().toISOString(),
    annotations: config.annotations ?? {},
    process: undefined,
    places: group?.places ?? [],
    last: lastSteps(plan),
    stepCount: plan[0].length + plan[1].length,
  };
  // From here on, whoever deletes the container knows what may be there of it.
  writeConfig(directory, text);
  writeState(directory, stored);
  let first: number | undefined;
  const current = (): State => ({
    ociVersion: config.ociVersion,
    id: directory.id,
    status: 'creating',
    ...(first !== undefined && { pid: first }),
    bundle,
    annotations: stored.annotations,
  });
  let console: Fd | undefined;
  let listener: Fd | undefined;
  const maps = idMapsOf(config);
  const waits: ((pid: number) => Promise<void> | void)[] = [
    ...(namespaces.isNew('user') ? [(pid: number) => (maps ? writeIdMaps(pid, maps) : undefined)] : []),
    ...(hasHooks
      ? [
          async (pid: number) => {
            first = pid;
            await runHooks('prestart', hooks.prestart, current());
            await runHooks('createRuntime', hooks.createRuntime, current());
            if (hooks.createContainer?.length) await runInNamespaces(pid, hooks.createContainer, current());
          },
        ]
      : []),
    ...(seccomp && notifies(seccomp) ? [(pid: number) => listener && sendListener(seccomp, listener, current(), pid)] : []),
    (pid) => {
      const identity = identityOf(pid);
      if (!identity) throw new Error('the container has ended while it was created');
      writeState(directory, { ...stored, process: identity });
    },
  ];
  try {
    const child = await launch(plan, {
      stdio: process.terminal ? ['ignore', 'ignore', 'ignore'] : (options.stdio ?? ['inherit', 'inherit', 'inherit']),
      onWaiting: (pid) => waits.shift()?.(pid),
      onFile: (file) => {
        if (process.terminal && !console) console = file;
        else listener = file;
      },
      ...(options.detached !== undefined && { detached: options.detached }),
      ...(options.cancelSignal && { cancelSignal: options.cancelSignal }),
    });
    try {
      if (console && options.consoleSocket !== undefined) sendConsole(options.consoleSocket, console);
      else if (console && options.onConsole) {
        options.onConsole(console);
        console = undefined;
      }
      if (options.pidFile !== undefined) writePidFile(options.pidFile, child.pid);
    } catch (error) {
      child.kill('SIGKILL');
      if (!options.detached) await child.exited;
      throw error;
    }
    return child;
  } catch (error) {
    if (group) await removeGroup(group.directories);
    if (first !== undefined)
      await runHooks('poststop', hooks.poststop, { ...current(), status: 'stopped' }).catch((failure: Error) => given.warn(failure.message));
    throw error;
  } finally {
    console?.close();
    listener?.close();
  }
}

/** In the words that engines know. */
function checkConsole({ terminal = false }: Process, { consoleSocket, onConsole }: CreateOptions): void {
  if (terminal && consoleSocket === undefined && !onConsole) throw new Error('cannot allocate tty if runc will detach without setting console socket');
  if (!terminal && consoleSocket !== undefined) throw new Error('cannot use console socket if runc will not detach or allocate tty');
}

/** The program of the host, in the namespaces of the container whose root has not changed yet. */
async function runInNamespaces(pid: number, hooks: NonNullable<Config['hooks']>['createContainer'], state: State): Promise<void> {
  const identity = identityOf(pid);
  using pidfd = identity && openProcess(identity);
  if (!pidfd) throw new Error('the container has ended while it was created');
  // To be in a pid namespace takes a further process, and a hook is one that the host waits for.
  const kinds = foreignNamespaces(pid).filter((kind) => kind !== 'pid' && kind !== 'time');
  await runHooks('createContainer', hooks, state, joinAll(pidfd, kinds));
}

/** What `start` has to tell of, if it fails. */
function lastSteps([before, after]: readonly [Plan, Plan]): StoredStep[] {
  return after.map((step, i) => ({
    index: before.length + i,
    call: step.call,
    line: explainCall(step).slice(0, MAX_LINE),
    purpose: step.purpose,
    ...(step.hints && { hints: step.hints }),
  }));
}
