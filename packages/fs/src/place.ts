import { AT_FDCWD, checkOptions, Fd, openFlags, openHow, resolveFlags, resultOf, errnos, fileTypes, label, Memory, type Load, type ResultOf, type Step } from '@ctr/syscall';

import { checkMode } from './options.js';

/** An open file: one of the host's, the result of an earlier step, or a number that an earlier step has written to memory. */
export type Handle = Fd | ResultOf | Load;

/** A place below a root directory; made by {@link inRoot}. */
export interface InRoot {
  readonly kind: 'in-root';
  readonly root: Handle;
  /** Without a slash in front; empty for the root itself. */
  readonly path: string;
  readonly create: 'directory' | 'file' | false | undefined;
  readonly mode: number | undefined;
  readonly symlinks: 'in-root' | 'refuse';
}

/**
 * Where something is mounted:
 *
 * - a path, which the caller vouches for: symbolic links in it are followed wherever they lead
 * - a handle: the file that is open
 * - {@link inRoot}: a path below a root that an image or a container may have filled
 */
export type Place = string | Handle | InRoot;

/** How a path below a root is found, and made. */
export interface InRootOptions {
  /** What to make if nothing is there, its parents included. @default what is mounted needs: a directory, or a file for a bind of a file */
  readonly create?: 'directory' | 'file' | false;
  /** Permissions of what is made; the umask takes its bits from them. @default 0o755 for a directory, 0o644 for a file */
  readonly mode?: number;
  /** Whether symbolic links in the path lead on below the root, or are an error (ELOOP). @default 'in-root' */
  readonly symlinks?: 'in-root' | 'refuse';
}

/**
 * A place below a root directory, for what an image or a container may have prepared.
 *
 * Equivalent to the root's path and this one joined together, but safe: every component, `..` and absolute links included, is resolved with the root as `/`,
 * so that no link leads out, and what is missing is made one component at a time, relative to open directories.
 * If the place is there, finding it is one system call. A dangling link is never created through: that is ENOENT.
 *
 * Throws a `TypeError` for an empty path, and a `RangeError` for one with a NUL byte or a `..` in it.
 *
 * @see openat2(2): RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS
 * @example
 * ```ts
 * import { inRoot, tmpfs } from '@ctr/fs';
 * import { explain, openFd } from '@ctr/syscall';
 * using root = openFd('/', { directory: true });
 * console.log(explain(tmpfs(inRoot(root, '/tmp'))));
 * ```
 */
export function inRoot(root: Handle, path: string, options: InRootOptions = {}): InRoot {
  checkOptions('inRoot', options, ['create', 'mode', 'symlinks']);
  checkPath(path);
  const components = path.split('/').filter((component) => component !== '' && component !== '.');
  if (components.includes('..')) throw new RangeError(`the path ${JSON.stringify(path)} has a ".." in it: a place below a root is named from the root down`);
  if (options.mode !== undefined) checkMode(JSON.stringify(path), options.mode);
  return { kind: 'in-root', root, path: components.join('/'), create: options.create, mode: options.mode, symlinks: options.symlinks ?? 'in-root' };
}

/** Steps that open a place, and its handle (O_PATH). */
export interface OpenedPlace {
  readonly steps: Step[];
  readonly fd: Handle;
}

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
    const open: Step = { call: 'openat', args: [AT_FDCWD, place, flags, 0], purpose: `find ${place}`, as: `at-${shortName(place)}` };
    return { steps: [open], fd: resultOf(open) };
  }
  if (!isInRoot(place)) return { steps: [], fd: place };
  if (place.path === '') return { steps: [], fd: place.root };
  return openInRoot(place, directory);
}

/** Opens what is at a place below a root, whatever its type; goes on elsewhere if nothing is. */
export function ifThere(place: InRoot, otherwise: Step): OpenedPlace {
  const how = openHow({ flags: openFlags.O_PATH | openFlags.O_CLOEXEC, resolve: resolution(place.symlinks) });
  const open: Step = {
    call: 'openat2',
    args: [place.root, place.path === '' ? '/' : place.path, how, how.byteLength],
    purpose: `find /${place.path}, if it is there`,
    as: `at-${shortName(place)}`,
    tolerates: ['ENOENT', 'ENOTDIR'],
    hints: hintsFor(place.path),
    jump: { when: '<', to: otherwise },
  };
  return { steps: [open], fd: resultOf(open) };
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

export function isInRoot(place: Handle | InRoot): place is InRoot {
  return !(place instanceof Fd) && place.kind === 'in-root';
}

/** Refuses what no path can be. */
export function checkPath(path: string): void {
  if (path === '') throw new TypeError('the path is empty');
  if (path.includes('\0')) throw new RangeError(`the path ${JSON.stringify(path)} has a NUL byte in it`);
}

/** Refuses what is not a path downwards from an open directory. */
export function checkBelow(path: string): void {
  checkPath(path);
  if (path.startsWith('/') || path.split('/').includes('..')) throw new RangeError(`the path ${JSON.stringify(path)} does not lead down from an open directory`);
}

/** How a path below a root is resolved. */
export function resolution(symlinks: 'in-root' | 'refuse'): number {
  return resolveFlags.RESOLVE_IN_ROOT | resolveFlags.RESOLVE_NO_MAGICLINKS | (symlinks === 'refuse' ? resolveFlags.RESOLVE_NO_SYMLINKS : 0);
}

function openInRoot(place: InRoot, directory: boolean): OpenedPlace {
  const create = place.create ?? (directory ? 'directory' : 'file');
  const components = place.path.split('/');
  const resolve = resolution(place.symlinks);
  const as = `at-${shortName(place)}`;
  const open = (depth: number, mustBeDirectory: boolean, purpose: string, extra: Partial<Step>): Step => {
    const how = openHow({ flags: openFlags.O_PATH | openFlags.O_CLOEXEC | (mustBeDirectory ? openFlags.O_DIRECTORY : 0), resolve });
    const path = components.slice(0, depth).join('/');
    return { call: 'openat2', args: [place.root, path, how, how.byteLength], purpose: `${purpose} /${path}`, hints: hintsFor(path), ...extra };
  };
  const mustBeDirectory = directory || create === 'directory';
  if (create === false) {
    const only = open(components.length, mustBeDirectory, 'find', { as });
    return { steps: [only], fd: resultOf(only) };
  }
  const found = new Memory(8, as);
  const done = label(`/${place.path} is there`);
  const first = open(components.length, mustBeDirectory, 'find', {
    as,
    into: found.at(0),
    tolerates: ['ENOENT'],
    jump: { when: '!=', than: -errnos.ENOENT, to: done },
  });
  const steps = [first];
  let parent: Handle = place.root;
  for (const [i, name] of components.entries()) {
    const path = components.slice(0, i + 1).join('/');
    const last = i === components.length - 1;
    steps.push(make(parent, name, path, last && create === 'file' ? 'file' : 'directory', last ? place.mode : undefined));
    const opened = last ? open(i + 1, mustBeDirectory, 'find what is now', { as, into: found.at(0) }) : open(i + 1, true, 'go down to', { as: name });
    steps.push(opened);
    parent = resultOf(opened);
  }
  steps.push(done);
  return { steps, fd: resultOf(first) };
}

/** A name that is there already, a link included, is left as it is: whether it serves is seen when it is opened. */
function make(parent: Handle, name: string, path: string, what: 'directory' | 'file', mode = what === 'directory' ? 0o755 : 0o644): Step {
  const common = { purpose: `make /${path}`, tolerates: ['EEXIST'] as const, hints: hintsFor(path) };
  return what === 'directory'
    ? { call: 'mkdirat', args: [parent, name, mode], ...common }
    : { call: 'mknodat', args: [parent, name, fileTypes.S_IFREG | mode, 0], ...common };
}

function hintsFor(path: string): NonNullable<Step['hints']> {
  return {
    ENOENT: `/${path} does not exist below the root and may not be made, or a symbolic link in it leads to nothing`,
    ENOTDIR: `something in /${path} is a file where a directory is needed`,
    ELOOP: `/${path} has a symbolic link in it, where none is followed (proc and sysfs are never mounted through one), or too many of them: the root has to have a plain directory there`,
    EROFS: `/${path} is missing and the root is read-only: make it in the image, or mount something writable over its parent`,
    EXDEV: `/${path} leads out of the root: an attempt to escape, or a directory that was moved meanwhile`,
    EACCES: `/${path} is missing or its parent may not be searched by this user: in a user namespace the root's files have to belong to mapped ids`,
  };
}
