import { existsSync, readdirSync, statSync } from 'node:fs';

import { checkOptions } from '@ctr/syscall';

import { readLayout, type CgroupLayout } from '../layout.js';
import { unifiedOf } from './running.js';
import { expandSlice, nameOfScope } from './unit-name.js';

/** The scope of a container of ctr's that is there. */
export interface FoundScope {
  /** As it was given to {@link scopeName}. */
  readonly name: string;
  /** `ctr-web.scope` */
  readonly unit: string;
  /** Where its group is. */
  readonly directory: string;
}

/** Where scopes are looked for. */
export interface FindScopesOptions {
  /** What `readLayout` has found. @default it is read anew */
  readonly layout?: CgroupLayout;
  /** Only in this slice and those below it. @default everywhere */
  readonly slice?: string;
}

/**
 * The scopes of this user whose names {@link scopeName} has made, wherever they are among the slices: those that systemd has made for containers of ctr. Nobody is asked but the kernel.
 *
 * Throws a {@link CgroupError} of kind `no-systemd` where control groups are of version 1, and a `TypeError` for what is not the name of a slice.
 *
 * @example
 * ```ts
 * import { readLayout } from '@ctr/cgroups';
 * import { findScopes } from '@ctr/cgroups/systemd';
 * const layout = readLayout();
 * if (layout.mode === 'v2') for (const { name, directory } of findScopes({ layout })) console.log(name, directory);
 * ```
 */
export function findScopes(options: FindScopesOptions = {}): FoundScope[] {
  checkOptions('findScopes', options, ['layout', 'slice']);
  const { layout = readLayout(), slice } = options;
  const { mount } = unifiedOf(layout);
  return scopesIn(slice === undefined ? mount : `${mount}/${expandSlice(slice)}`);
}

function scopesIn(directory: string): FoundScope[] {
  return directoriesIn(directory).flatMap((unit) => {
    const path = `${directory}/${unit}`;
    const name = nameOfScope(unit);
    if (name !== undefined) return ownerOf(path) === process.geteuid?.() ? [{ name, unit, directory: path }] : [];
    // What another user has made of their own groups is nobody else's: it may be endless.
    return /\.slice$|^user@\d+\.service$/.test(unit) && [0, process.geteuid?.()].includes(ownerOf(path)) ? scopesIn(path) : [];
  });
}

function directoriesIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    // It has ended meanwhile.
    if (!existsSync(path)) return [];
    throw error;
  }
}

function ownerOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.uid;
}
