import { userInfo } from 'node:os';

import { annotationsIn, type State } from '../state.js';
import { StateDirectory } from '../state/directory.js';
import { defaultRoot } from '../state/root.js';
import { statusOf } from '../state/status.js';
import { readState, type StoredState } from '../state/stored.js';
import type { RootOptions } from './root-options.js';

/** What `state` tells beyond the runtime-spec, as runc does. */
export interface ExtendedState extends State {
  /** 0 for a container that has stopped. */
  readonly pid: number;
  /** The root file system. */
  readonly rootfs: string;
  /** When it was created: RFC 3339. */
  readonly created: string;
  /** The name of the user whose it is. */
  readonly owner: string;
}

/**
 * What a container is doing now. Throws an {@link OciError}: `does-not-exist`, or `broken` for a state that is none.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/runtime.md#query-state
 * @example
 * ```ts no-run
 * import { state } from '@ctr/oci';
 * console.log(state('web').status); // running
 * ```
 */
export function state(id: string, options: RootOptions = {}): ExtendedState {
  using directory = StateDirectory.open(options.root ?? defaultRoot(), id);
  return stateOf(directory, readState(directory));
}

export function stateOf(directory: StateDirectory, stored: StoredState): ExtendedState {
  const status = statusOf(directory, stored);
  return {
    ociVersion: stored.ociVersion,
    id: stored.id,
    pid: status === 'stopped' ? 0 : (stored.process?.pid ?? 0),
    status,
    bundle: stored.bundle,
    rootfs: stored.rootfs,
    created: stored.created,
    ...annotationsIn(stored.annotations),
    owner: userName(),
  };
}

/** A state is read only by whose it is. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.() ?? '');
  }
}
