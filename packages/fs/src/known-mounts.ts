import type { Handle } from './handle.js';
import { inRoot, type InRoot } from './in-root.js';

/** A mount whose symbolic links may lead out of it: a path by such a link goes on below the root. */
export interface MountWithLinks {
  readonly mount: Handle;
  readonly links: 'may-lead-out';
}

/**
 * Mounts below a root, by the paths they are at, that have been made here: places below them are looked up from the open mounts, from the nearest one each.
 * A handle alone is a mount all of whose links stay in it, as those of proc and sysfs do.
 */
export type KnownMounts = Readonly<Record<string, Handle | MountWithLinks>>;

/**
 * The mounts that are seen in the end, of those that were made one after the other: one at the same path, or above it, covers those before.
 *
 * @param made absolute paths, and the open mounts; `undefined` for a mount that is not open any more, below which places are looked up by their paths
 * @example
 * ```ts
 * import { knownMounts, mask, procMount } from '@ctr/fs';
 * import { openFd } from '@ctr/syscall';
 * using root = openFd('/srv', { directory: true });
 * const proc = procMount();
 * const plan = mask(root, ['/proc/kcore'], { mounts: knownMounts([['/proc', proc.mount]]) });
 * ```
 */
export function knownMounts(made: readonly (readonly [at: string, mount: KnownMounts[string] | undefined])[]): KnownMounts {
  // From the last on: what is below one that came later is covered.
  const later = new Set<string>();
  const seen: [string, KnownMounts[string]][] = [];
  for (const [at, mount] of made.toReversed()) {
    if (mount && !isBelow(at, later)) seen.push([at, mount]);
    later.add(at);
  }
  return Object.fromEntries(seen.toReversed());
}

/** A place below a root, or below the nearest of these mounts. */
export function inMounts(root: Handle, mounts: KnownMounts, path: string): InRoot {
  const place = inRoot(root, path);
  const at = nearest(mounts, `/${place.path}`);
  const known = mounts[at];
  if (known === undefined) return place;
  const below = { ...place, path: place.path.slice(at.length) };
  return 'links' in known ? { ...below, root: known.mount, beyond: place } : { ...below, root: known };
}

/** Whether a place that {@link inMounts} has given is below a mount all of whose links stay in it, and not that mount itself. */
export function isInKnownMount(place: InRoot, root: Handle): boolean {
  return place.root !== root && !place.beyond && place.path !== '';
}

/** Whether one of these is at the path, or above it. */
function isBelow(path: string, some: ReadonlySet<string>): boolean {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) if (some.has(at)) return true;
  return false;
}

/** The longest of the paths above this one, and of itself, that something is mounted at; empty for none. Paths have few components, and there may be thousands of mounts. */
function nearest(mounts: KnownMounts, path: string): string {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) if (Object.hasOwn(mounts, at)) return at;
  return '';
}
