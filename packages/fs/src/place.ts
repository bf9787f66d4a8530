import { AT_FDCWD, Fd, openFlags, resultOf, type Step } from '@ctr/syscall';

import { checkPath } from './check.js';
import type { Handle } from './handle.js';
import { openInRoot, type InRoot, type OpenedPlace } from './in-root.js';

/**
 * Where something is mounted:
 *
 * - a path, which the caller vouches for: symbolic links in it are followed wherever they lead
 * - a handle: the file that is open
 * - {@link inRoot}: a path below a root that an image or a container may have filled
 */
export type Place = string | Handle | InRoot;

/**
 * Opens a place for something to be attached to: an O_PATH handle, close-on-exec.
 * Where the place is {@link inRoot}, what is missing is made.
 *
 * The steps fail with ENOENT, ENOTDIR, ELOOP (a link where none may be), EROFS (missing in a read-only root), EACCES.
 *
 * @param options.directory whether the place has to be a directory. @default true
 * @example
 * ```ts
 * import { openPlace } from '@ctr/fs';
 * const { steps, fd } = openPlace('/mnt');
 * ```
 */
export function openPlace(place: Place, options: { readonly directory?: boolean } = {}): OpenedPlace {
  const { directory = true } = options;
  if (typeof place === 'string') {
    checkPath(place);
    const flags = openFlags.O_PATH | openFlags.O_CLOEXEC | (directory ? openFlags.O_DIRECTORY : 0);
    const open: Step = { call: 'openat', args: [AT_FDCWD, place, flags], purpose: `find ${place}`, as: `at-${shortName(place)}` };
    return { steps: [open], fd: resultOf(open) };
  }
  if (!isInRoot(place)) return { steps: [], fd: place };
  if (place.path === '') return { steps: [], fd: place.root };
  return openInRoot(place, directory);
}

/** What a place is called in messages. */
export function placeName(place: Place): string {
  if (typeof place === 'string') return place;
  if (isInRoot(place)) return `/${place.path}`;
  if (place instanceof Fd) return place.path ?? `fd ${place.number}`;
  return place.kind === 'result' && place.step.as !== undefined ? `$${place.step.as}` : 'an open file';
}

/** A name for what is at a place in what `explain` prints: the last component of its path. */
export function shortName(place: Place): string {
  if (typeof place !== 'string' && !isInRoot(place)) return place instanceof Fd || place.kind !== 'result' ? 'mount' : (place.step.as ?? 'mount');
  return (typeof place === 'string' ? place : place.path).split('/').findLast((component) => component !== '') ?? 'root';
}

/** The same place, at which links are refused: for proc and sysfs, which must never be mounted where a link of the image points. */
export function withoutSymlinks(place: Place): Place {
  return typeof place !== 'string' && isInRoot(place) ? { ...place, symlinks: 'refuse' } : place;
}

function isInRoot(place: Handle | InRoot): place is InRoot {
  return !(place instanceof Fd) && place.kind === 'in-root';
}
