import { statfsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, normalize } from 'node:path';

import type { Place } from '@ctr/cgroups';
import { fsMagic, quote } from '@ctr/syscall';

import { OciError } from '../error.js';
import type { StateDirectory } from './directory.js';
import type { ProcessIdentity } from './identity.js';

/** A step that a container takes after it has been let go, as far as an error has to tell of it. */
export interface StoredStep {
  readonly index: number;
  readonly call: string;
  readonly line: string;
  readonly purpose: string;
  readonly hints?: Readonly<Record<string, string>>;
}

/** A scope of systemd, which is the container's cgroup. */
export interface StoredScope {
  readonly unit: string;
  readonly manager: 'system' | 'user';
}

/** A directory of a cgroup, as it was when the container was created. */
export interface StoredPlace extends Place {
  /** No other directory of the hierarchy ever has it: a group that was removed and made anew is another one. None while the container is being created. */
  readonly inode?: string;
}

/** What is kept of a container from one command to the next. */
export interface StoredState {
  /** Of this form. */
  readonly version: 1;
  readonly ociVersion: string;
  readonly id: string;
  readonly bundle: string;
  readonly rootfs: string;
  /** RFC 3339. */
  readonly created: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** The kinds of its hooks that come after `create`: only for these has its configuration to be read again. */
  readonly hooks: readonly (typeof laterHooks)[number][];
  /** Its first process; none while it is being created. */
  readonly process: ProcessIdentity | undefined;
  /** The directories of its cgroup. */
  readonly places: readonly StoredPlace[];
  /** Who has made these, if not this runtime. */
  readonly scope?: StoredScope;
  /** The steps that lie between `start` and the program. */
  readonly last: readonly StoredStep[];
  /** How many steps there are in all. */
  readonly stepCount: number;
}

/** Hooks that are run after `create`. */
export const laterHooks = ['startContainer', 'poststart', 'poststop'] as const;

const STATE = 'state.json';
const CONFIG = 'config.json';

export function writeState(directory: StateDirectory, state: StoredState): void {
  directory.write(STATE, `${JSON.stringify(state)}\n`);
}

/** Throws an {@link OciError} `broken` for what is not the state of this container: nothing is done to what it names then. */
export function readState(directory: StateDirectory): StoredState {
  const text = directory.read(STATE);
  let state: unknown;
  try {
    state = JSON.parse(text);
  } catch (error) {
    throw broken(directory.id, `it is not JSON: ${(error as Error).message}`, error);
  }
  const problem = problemOf(state, directory.id);
  if (problem !== undefined) throw broken(directory.id, problem);
  return state as StoredState;
}

/** A directory that is there now. */
export function withInode(place: Place): StoredPlace {
  return { ...place, inode: inodeOf(place.directory) };
}

/** The places that are still those of the container: somebody else may have made a group of the same path since. */
export function ownPlaces({ places }: Pick<StoredState, 'places'>): readonly StoredPlace[] {
  return places.filter(({ inode, directory }) => {
    try {
      return inode === undefined || inode === inodeOf(directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  });
}

function inodeOf(directory: string): string {
  return String(statSync(directory, { bigint: true }).ino);
}

/** Removes all that is kept: a container whose deletion was broken off can be deleted again. */
export function removeState(directory: StateDirectory): void {
  directory.remove(STATE);
}

/** The configuration that the container has been created with, as text. */
export function writeConfig(directory: StateDirectory, text: string): void {
  directory.write(CONFIG, text);
}

export function readConfig(directory: StateDirectory): string {
  return directory.read(CONFIG);
}

function broken(id: string, what: string, cause?: unknown): OciError {
  return new OciError('broken', `container ${id}: its state is broken: ${what}: delete --force removes it`, { cause });
}

function problemOf(state: unknown, id: string): string | undefined {
  if (!isObject(state)) return 'it is no object';
  if (state['version'] !== 1) return `it is of version ${quote(state['version'])}, and this is version 1`;
  if (state['id'] !== id) return `it is of another container, ${quote(state['id'])}`;
  for (const name of ['ociVersion', 'bundle', 'rootfs', 'created']) if (typeof state[name] !== 'string') return `${name} is no text`;
  if (!isObject(state['annotations'])) return 'annotations are no object';
  if (!Array.isArray(state['hooks'])) return 'hooks are no list';
  if (!Array.isArray(state['last']) || typeof state['stepCount'] !== 'number') return 'it has no last steps';
  const { process, places, scope } = state;
  if (scope !== undefined && !(isObject(scope) && typeof scope['unit'] === 'string' && (scope['manager'] === 'system' || scope['manager'] === 'user')))
    return 'scope is none of systemd';
  if (process !== undefined) {
    if (!isObject(process)) return 'process is no object';
    const { pid, startTime } = process;
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 2 || typeof startTime !== 'string' || !/^\d+$/.test(startTime))
      return 'process has no pid, or no start time';
  }
  if (!Array.isArray(places)) return 'places are no list';
  const wrong: unknown = places.find((place) => !isGroup(place));
  return wrong === undefined ? undefined : `${quote(wrong)} is no cgroup of a container`;
}

/** What runs there is killed and what is there is removed: so it is a group, and not the one at the top of a hierarchy. One that is gone may have been anything. */
function isGroup(place: unknown): boolean {
  if (!isObject(place)) return false;
  const { directory, version, controllers, inode, existing } = place;
  if ((inode !== undefined && typeof inode !== 'string') || (existing !== undefined && typeof existing !== 'boolean')) return false;
  if (typeof directory !== 'string' || !isAbsolute(directory) || normalize(directory) !== directory || dirname(directory) === directory) return false;
  if ((version !== 1 && version !== 2) || !Array.isArray(controllers)) return false;
  const magic = version === 1 ? fsMagic.CGROUP_SUPER_MAGIC : fsMagic.CGROUP2_SUPER_MAGIC;
  try {
    return statfsSync(directory).type === magic && statfsSync(dirname(directory)).type === magic;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
