import { isSyscallError, openFd, SyscallError, type Fd } from '@ctr/syscall';

import type { Config } from '../config/config.js';
import { environmentOf } from '../environment.js';
import { OciError } from '../error.js';
import { parseConfig } from '../parse-config.js';
import { wayToHookInside } from '../plan/hook-inside.js';
import type { State } from '../state.js';
import { StateDirectory } from '../state/directory.js';
import { openGate } from '../state/gate.js';
import { openProcess } from '../state/identity.js';
import { defaultRoot } from '../state/root.js';
import { statusOf } from '../state/status.js';
import { readConfig, readState, type StoredState } from '../state/stored.js';
import type { RootOptions } from './root-options.js';
import { removeLocked } from './delete.js';
import { runHooks } from './hooks.js';
import { kill } from './kill.js';
import { NotifySocket } from './notify-socket.js';
import { sendListener } from './seccomp-listener.js';
import { stateOf } from './state-of.js';

/** How a container is started. */
export interface StartOptions extends RootOptions {
  /**
   * The socket of whoever manages services, a path or `@name`: it is told when the program says that it is ready, as is waited for, and which process to watch from then on.
   * Without effect for a container that was created without `notify`. @see sd_notify(3)
   */
  readonly notifySocket?: string;
  /** Is told what has no effect. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Starts a container that has been created: resolves when its program runs; with `notifySocket`, when that has said that it is ready, or has ended.
 *
 * Rejects with an {@link OciError} (`does-not-exist`, `not-created`, `hook`), and with a `SyscallError` that names the step which failed: the container is stopped then; where a hook of
 * `poststart` has failed it is deleted. If nobody is at `notifySocket`, that is a warning, and the program is not waited for.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/runtime.md#start
 * @example
 * ```ts no-run
 * import { create, start } from '@ctr/oci';
 * await create('/srv/bundle', 'web');
 * await start('web');
 * ```
 */
export async function start(id: string, options: StartOptions = {}): Promise<void> {
  const { ready } = await startProgram(id, options);
  await ready(true);
}

/** A program that runs. */
export interface Started {
  /** Waits until it has said that it is ready, or has ended. @param isMain whether its process is the one to watch from then on */
  readonly ready: (isMain: boolean) => Promise<void>;
}

/** Starts a container as {@link start} does, and resolves when its program runs. Whoever does so has to wait until it is ready. */
export async function startProgram(id: string, options: StartOptions): Promise<Started> {
  using directory = StateDirectory.open(options.root ?? defaultRoot(), id);
  using _lock = await directory.lock();
  const stored = readState(directory);
  const status = statusOf(directory, stored);
  if (status === 'stopped') throw new OciError('not-created', 'cannot start a container that has stopped');
  if (status === 'paused') throw new OciError('not-created', 'cannot start a container in the paused state');
  if (status !== 'created') throw new OciError('not-created', `cannot start an already running container`);
  const notify = options.notifySocket === undefined ? undefined : openNotify(directory, stored, options.notifySocket, options.onWarning);
  try {
    // Most containers have none, and to read a configuration takes longer than to start them.
    const config = stored.hooks.length > 0 ? parseConfig(readConfig(directory)) : undefined;
    const { hooks = {} } = config ?? {};
    if (config && hooks.startContainer?.length) await orEnd(id, options, runInside(config, stateOf(directory, stored), stored, options));
    const failure = await openGate(directory);
    if (failure) throw startError(stored, failure);
    if (hooks.poststart?.length) await orRemove(directory, options, runHooks('poststart', hooks.poststart, stateOf(directory, stored)));
  } catch (error) {
    notify?.[Symbol.dispose]();
    throw error;
  }
  return {
    ready: async (isMain) => {
      using socket = notify;
      const { process } = stored;
      if (process) await socket?.passOn(process, isMain ? process.pid : undefined);
    },
  };
}

/** Nobody to be told is no reason not to run. */
function openNotify(directory: StateDirectory, stored: StoredState, manager: string, onWarning: StartOptions['onWarning']): NotifySocket | undefined {
  try {
    return NotifySocket.open(directory, stored, manager);
  } catch (error) {
    if (!isSyscallError(error) || error.call !== 'connect') throw error;
    onWarning?.(`nobody is told that the program is ready: ${error.message}`);
    return undefined;
  }
}

/** A container one of whose hooks has failed does not run. */
async function orEnd(id: string, options: RootOptions, hooks: Promise<void>): Promise<void> {
  try {
    await hooks;
  } catch (error) {
    kill(id, 'SIGKILL', { ...options, all: true });
    throw error;
  }
}

/** A container for which a hook has failed that is run when its program runs goes as a whole, and hooks of poststop are run, as the runtime-spec has it. */
async function orRemove(directory: StateDirectory, { onWarning }: StartOptions, hooks: Promise<void>): Promise<void> {
  try {
    await hooks;
  } catch (error) {
    await removeLocked(directory, { force: true, ...(onWarning && { onWarning }) });
    throw error;
  }
}

/** Runs the hooks that are programs of the container, as its own would run. */
async function runInside(config: Config, state: State, { process: first, places, rootfs }: StoredState, { onWarning }: StartOptions): Promise<void> {
  const { hooks, process, linux: { seccomp } = {} } = config;
  using pidfd = first && openProcess(first);
  if (!first || !pidfd) throw new OciError('not-running', 'container not running');
  if (!process) throw new OciError('broken', `container ${state.id}: it was created without a process`);
  using proc = openFd('/proc', { directory: true });
  let listener: Fd | undefined;
  const onFile = (file: Fd): void => {
    listener = file;
  };
  const onWaiting = (pid: number): void => {
    using file = listener;
    listener = undefined;
    if (seccomp && file) sendListener(seccomp, file, state, pid);
  };
  const way = wayToHookInside({ config, process, pid: first.pid, pidfd, places, proc, warn: onWarning ?? (() => undefined) });
  try {
    await runHooks('startContainer', hooks?.startContainer, state, { way, host: { onFile, onWaiting }, env: environmentOf(process, rootfs) });
  } finally {
    listener?.close();
  }
}

/** The step that failed, as far as it has been kept. */
function startError({ last, stepCount }: StoredState, { step, errno }: { readonly step: number; readonly errno: number }): Error {
  const failed = last.find(({ index }) => index === step);
  if (!failed) return new OciError('start-failed', `the container ended at step ${step + 1}, before its program`);
  const error = new SyscallError({ call: failed.call, line: failed.line, errno, step, of: stepCount, purpose: failed.purpose });
  const hint = failed.hints?.[error.code];
  return hint === undefined ? error : new SyscallError({ call: failed.call, line: failed.line, errno, step, of: stepCount, purpose: failed.purpose, hint });
}
