import { SyscallError, type Step } from '@ctr/syscall';

import { OciError } from '../error.js';
import { parseConfig } from '../parse-config.js';
import { StateDirectory } from '../state/directory.js';
import { openGate } from '../state/gate.js';
import { openProcess } from '../state/identity.js';
import { defaultRoot } from '../state/root.js';
import { statusOf } from '../state/status.js';
import { readConfig, readState, type StoredState } from '../state/stored.js';
import type { RootOptions } from './root-options.js';
import { runHooks } from './hooks.js';
import { kill } from './kill.js';
import { stateOf } from './state-of.js';
import { wayIntoContainer } from '../plan/into-container.js';

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
  const { hooks = {} } = stored.hooks.length > 0 ? parseConfig(readConfig(directory)) : {};
  if (hooks.startContainer?.length) {
    await orEnd(
      id,
      options,
      inContainer(stored, (way) => runHooks('startContainer', hooks.startContainer, stateOf(directory, stored), { way })),
    );
  }
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

/** Runs something by steps that lead into the container. */
async function inContainer({ process, places }: StoredState, run: (way: readonly Step[]) => Promise<void>): Promise<void> {
  using pidfd = process && openProcess(process);
  if (!process || !pidfd) throw new OciError('not-running', 'container not running');
  await run(wayIntoContainer(process.pid, pidfd, places).steps);
}

/** The step that failed, as far as it has been kept. */
function startError({ last, stepCount }: StoredState, { step, errno }: { readonly step: number; readonly errno: number }): Error {
  const failed = last.find(({ index }) => index === step);
  if (!failed) return new OciError('start-failed', `the container ended at step ${step + 1}, before its program`);
  const error = new SyscallError({ call: failed.call, line: failed.line, errno, step, of: stepCount, purpose: failed.purpose });
  const hint = failed.hints?.[error.code];
  return hint === undefined ? error : new SyscallError({ call: failed.call, line: failed.line, errno, step, of: stepCount, purpose: failed.purpose, hint });
}
