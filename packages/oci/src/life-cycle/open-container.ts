import { StateDirectory } from '../state/directory.js';
import { defaultRoot } from '../state/root.js';
import { statusOf } from '../state/status.js';
import { readState, type StoredState } from '../state/stored.js';
import type { ContainerStatus } from '../state.js';
import type { RootOptions } from './root-options.js';

/** A container that is there, as it is at this moment. */
export interface OpenedContainer {
  readonly stored: StoredState;
  readonly status: ContainerStatus;
}

/** Throws an `OciError`: `does-not-exist`, or `broken`. */
export function openContainer(id: string, { root }: RootOptions): OpenedContainer {
  using directory = StateDirectory.open(root ?? defaultRoot(), id);
  return lookAt(directory);
}

/** The same, and nobody else changes it until that is disposed of. Rejects with an `OciError`: `busy`, too. */
export async function lockContainer(id: string, { root }: RootOptions): Promise<OpenedContainer & Disposable> {
  using directory = StateDirectory.open(root ?? defaultRoot(), id);
  const lock = await directory.lock();
  try {
    return { ...lookAt(directory), [Symbol.dispose]: () => lock.close() };
  } catch (error) {
    lock.close();
    throw error;
  }
}

function lookAt(directory: StateDirectory): OpenedContainer {
  const stored = readState(directory);
  return { stored, status: statusOf(directory, stored) };
}
