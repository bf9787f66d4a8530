import { StateDirectory } from '../state/directory.js';
import { defaultRoot } from '../state/root.js';
import { statusOf } from '../state/status.js';
import { readState, type StoredState } from '../state/stored.js';
import type { ContainerStatus } from '../state.js';
import type { RootOptions } from './root-options.js';

/** A container that is there, as it is at this moment. */
export interface OpenedContainer {
  readonly directory: StateDirectory;
  readonly stored: StoredState;
  readonly status: ContainerStatus;
}

/** Throws an `OciError`: `does-not-exist`, or `broken`. */
export function openContainer(id: string, { root }: RootOptions): OpenedContainer {
  const directory = StateDirectory.open(root ?? defaultRoot(), id);
  const stored = readState(directory);
  return { directory, stored, status: statusOf(directory, stored) };
}
