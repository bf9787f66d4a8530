import { readdirSync } from 'node:fs';

import { checkOptions } from '@ctr/syscall';

import { parseCgroupsPath } from './cgroups-path.js';
import { isOwnerAlive, parseGroupName, type GroupOwner } from './group-name.js';
import { readLayout, type CgroupLayout } from './layout.js';
import { removeEmptyTree, removeGroup } from './remove.js';

/** Where groups are looked for. */
export interface FindOptions {
  /** What {@link readLayout} has found. @default it is read anew */
  readonly layout?: CgroupLayout;
  /** The group above them, as {@link planGroup} takes it. @default '/ctr' */
  readonly parent?: string;
}

/** A group that was found. */
export interface FoundGroup extends GroupOwner {
  readonly directoryName: string;
  /** One for each hierarchy it is in. */
  readonly directories: readonly string[];
}

/**
 * Removes the groups that dead owners have left behind, with everything that still runs in them. Never touches a group of a living owner,
 * one whose name {@link groupName} has not made, nor one of another pid namespace.
 *
 * Rejects with an `AggregateError`, which says what was removed, if some could not be.
 *
 * @returns the directories that it has removed
 * @example
 * ```ts
 * import { collectGarbage } from '@ctr/cgroups';
 * for (const directory of await collectGarbage()) console.log(`removed ${directory}`);
 * ```
 */
export async function collectGarbage(options: FindOptions = {}): Promise<string[]> {
  const removed: string[] = [];
  const errors: unknown[] = [];
  for (const group of findGroups(options)) {
    if (isOwnerAlive(group)) continue;
    // A pid alone may be one of another pid namespace: what still runs there is left alone.
    if (group.startTime === undefined) {
      removed.push(...group.directories.filter(removeEmptyTree));
      continue;
    }
    try {
      await removeGroup(group.directories);
      removed.push(...group.directories);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0)
    throw new AggregateError(
      errors,
      `${errors.length} groups of dead owners could not be removed (removed: ${removed.join(', ') || 'none'}): ${errors.map(String).join('; ')}`,
    );
  return removed;
}

/**
 * The group of this name whose owner is alive, if there is one: a second container of the name can be refused.
 *
 * @param name as given to {@link groupName}
 * @example
 * ```ts
 * import { findByName } from '@ctr/cgroups';
 * const other = findByName('web');
 * if (other) console.log(`web runs already, started by pid ${other.pid}`);
 * ```
 */
export function findByName(name: string, options: FindOptions = {}): FoundGroup | undefined {
  return findGroups(options).find((group) => group.name === name && isOwnerAlive(group));
}

/**
 * All groups there are whose names {@link groupName} has made, also those of dead owners.
 *
 * @example
 * ```ts
 * import { findGroups, isOwnerAlive } from '@ctr/cgroups';
 * for (const group of findGroups().filter(isOwnerAlive)) console.log(group.name, group.directories);
 * ```
 */
export function findGroups(options: FindOptions = {}): FoundGroup[] {
  checkOptions('options', options, ['layout', 'parent']);
  const { layout = readLayout(), parent = '/ctr' } = options;
  const found = new Map<string, FoundGroup & { directories: string[] }>();
  const { fromTop, segments } = parseCgroupsPath(parent);
  for (const { mount, ownDirectory } of layout.hierarchies) {
    const base = fromTop ? mount : ownDirectory;
    if (base === undefined) continue;
    const above = [base, ...segments].join('/');
    for (const directoryName of namesIn(above)) {
      const owner = parseGroupName(directoryName);
      if (!owner) continue;
      const group = found.get(directoryName) ?? { ...owner, directoryName, directories: [] };
      group.directories.push(`${above}/${directoryName}`);
      found.set(directoryName, group);
    }
  }
  return [...found.values()];
}

/** The names in a directory. No file of the kernel's is called as {@link groupName} calls a group, so they need not be told apart. */
function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
