import { groupAt, newDirectories, removeGroup, type Place } from '@ctr/cgroups';
import { call, readable, signals } from '@ctr/syscall';

import { OciError } from '../error.js';
import { parseConfig } from '../parse-config.js';
import { annotationsIn, type State } from '../state.js';
import { StateDirectory } from '../state/directory.js';
import { openProcess, type ProcessIdentity } from '../state/identity.js';
import { runningIn } from '../state/running-in.js';
import { defaultRoot } from '../state/root.js';
import { statusOf } from '../state/status.js';
import { ownPlaces, readConfig, readState, removeState, type StoredState } from '../state/stored.js';
import { openScope } from './open-scope.js';
import type { RootOptions } from './root-options.js';
import { runHooks } from './hooks.js';

/** What is deleted. */
export interface DeleteOptions extends RootOptions {
  /** Also one that runs: it is killed. One that is not there is no error then. @default false */
  readonly force?: boolean;
  /** Is told of poststop hooks that have failed. */
  readonly onWarning?: (message: string) => void;
}

/** So long a process that has been killed may take to end. */
const END_TIMEOUT_MS = 10_000;
/** So many processes are named in an error. */
const SHOWN = 10;

/**
 * Removes what is left of a container that has stopped: its cgroup and its state. One that waits to be started is killed before. A cgroup that was there before the container stays.
 *
 * Rejects with an {@link OciError}: `does-not-exist`, `not-stopped`, also where others of it still run after its first process; and with an `Error` if something cannot be removed: the state stays then.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/runtime.md#delete
 * @example
 * ```ts
 * import { remove } from '@ctr/oci';
 * await remove('no-such-container', { root: '/tmp/ctr-oci-example', force: true }); // nothing to do
 * ```
 */
export async function remove(id: string, options: DeleteOptions = {}): Promise<void> {
  try {
    using directory = StateDirectory.open(options.root ?? defaultRoot(), id);
    // Whoever has the lock may wait for it: a hook at its start, for one.
    if (options.force) await endIfKnown(directory);
    using _lock = await directory.lock();
    await removeLocked(directory, options);
  } catch (error) {
    if (!options.force || !(error instanceof OciError) || error.kind !== 'does-not-exist') throw error;
  }
}

/** The same for whoever has the lock. */
export async function removeLocked(directory: StateDirectory, options: DeleteOptions): Promise<void> {
  const { force = false } = options;
  let stored: StoredState;
  try {
    stored = readState(directory);
  } catch (error) {
    // What it was is not to be known, so nothing is killed.
    if (!force || !(error instanceof OciError) || error.kind !== 'broken') throw error;
    return removeState(directory);
  }
  const status = statusOf(directory, stored);
  if (!force && status !== 'stopped' && status !== 'created')
    throw new OciError('not-stopped', `cannot delete container ${directory.id} that is not stopped: ${status}`);
  const places = ownPlaces(stored);
  if (!force && status === 'stopped') requireEnded(directory.id, places);
  if (stored.process) await end(directory.id, stored.process, places);
  if (stored.scope) await (await openScope(stored.scope, stored.places)).stop();
  else await leaveGroup(places);
  const config = stored.hooks.includes('poststop') ? configOf(directory) : undefined;
  removeState(directory);
  if (config !== undefined) await afterwards(config, stored, options);
}

/** Throws where others of a container run on after its first process, as they do where that shares its pid namespace. Those that are ending are waited for later. */
function requireEnded(id: string, places: readonly Place[]): void {
  const pids = runningIn(places);
  if (pids.length > 0)
    throw new OciError(
      'not-stopped',
      `cannot delete container ${id} that is not stopped: ${pids.length} of its processes still run (${pids.slice(0, SHOWN).join(', ')}${pids.length > SHOWN ? ', …' : ''}): end them by kill KILL, or delete it by force`,
    );
}

/** Removes the directories that this runtime has made, with what runs in them. In those that were there before nobody runs any more, and they stay. */
async function leaveGroup(places: readonly Place[]): Promise<void> {
  const given = places.filter(({ existing }) => existing);
  if (given.length > 0) await groupAt(given).kill();
  await removeGroup(newDirectories(places));
}

async function endIfKnown(directory: StateDirectory): Promise<void> {
  try {
    const stored = readState(directory);
    if (stored.process) await end(directory.id, stored.process, ownPlaces(stored));
  } catch (error) {
    // That is looked into once it is locked.
    if (!(error instanceof OciError)) throw error;
  }
}

/**
 * Kills it, and waits until it has ended. What is frozen in its group, or in one that it has made below, is thawed: on v1 it would not end otherwise.
 * Rejects with a `CgroupError` of kind `frozen` where it is a group above that is, which is not the container's to thaw; with an {@link OciError}, `busy`, for one that does not end.
 */
async function end(id: string, process: ProcessIdentity, places: readonly Place[]): Promise<void> {
  using pidfd = openProcess(process);
  if (!pidfd) return;
  call({ call: 'pidfd_send_signal', args: [pidfd, signals.SIGKILL, null, 0], purpose: 'kill the container', tolerates: ['ESRCH'] });
  if (places.length > 0) await groupAt(places).kill({ timeoutMs: END_TIMEOUT_MS });
  try {
    await readable(pidfd, { cancelSignal: AbortSignal.timeout(END_TIMEOUT_MS) });
  } catch (error) {
    throw new OciError(
      'busy',
      `container ${id}: its first process, ${process.pid}, was killed and has not ended within ${END_TIMEOUT_MS} ms: it waits for a device or a file system, or a process of its pid namespace has a parent outside that has not waited for it: end that parent, and delete the container again`,
      { cause: error },
    );
  }
}

/** None if a deletion was broken off before, or somebody has taken it away: the container goes all the same. */
function configOf(directory: StateDirectory): string | OciError {
  try {
    return readConfig(directory);
  } catch (error) {
    if (error instanceof OciError) return error;
    throw error;
  }
}

async function afterwards(config: string | OciError, stored: StoredState, { onWarning }: DeleteOptions): Promise<void> {
  const onFailure = ({ message }: Error): void => onWarning?.(message);
  const { ociVersion, id, bundle, annotations } = stored;
  const state: State = { ociVersion, id, status: 'stopped', bundle, ...annotationsIn(annotations) };
  try {
    if (typeof config !== 'string') throw config;
    await runHooks('poststop', parseConfig(config).hooks?.poststop, state, { onFailure });
  } catch (error) {
    onFailure(error as Error);
  }
}
