import { openFd, SyscallError, type Fd } from '@ctr/syscall';

import type { Config } from '../config/config.js';
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
import { runHooks } from './hooks.js';
import { kill } from './kill.js';
import { sendListener } from './seccomp-listener.js';
import { stateOf } from './state-of.js';

/** How a container is started. */
export interface StartOptions extends RootOptions {
  /** Is told what has no effect. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Starts a container that has been created: resolves when its program runs.
 *
 * Rejects with an {@link OciError} (`does-not-exist`, `not-created`, `hook`), and with a `SyscallError` that names the step which failed: the container is stopped then.
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
  const directory = StateDirectory.open(options.root ?? defaultRoot(), id);
  using _lock = await directory.lock();
  const stored = readState(directory);
  const status = statusOf(directory, stored);
  if (status === 'stopped') throw new OciError('not-created', 'cannot start a container that has stopped');
  if (status !== 'created') throw new OciError('not-created', `cannot start an already running container`);
  // Most containers have none, and to read a configuration takes longer than to start them.
  const config = stored.hooks.length > 0 ? parseConfig(readConfig(directory)) : undefined;
  const { hooks = {} } = config ?? {};
  if (config && hooks.startContainer?.length) await orEnd(id, options, runInside(config, stateOf(directory, stored), stored, options));
  const failure = await openGate(directory);
  if (failure) throw startError(stored, failure);
  if (hooks.poststart?.length) await orEnd(id, options, runHooks('poststart', hooks.poststart, stateOf(directory, stored)));
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

/** Runs the hooks that are programs of the container, as its own would run. */
async function runInside(config: Config, state: State, { process: first, places }: StoredState, { onWarning }: StartOptions): Promise<void> {
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
    await runHooks('startContainer', hooks?.startContainer, state, { way, host: { onFile, onWaiting } });
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
