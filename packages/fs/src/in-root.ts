import {
  atFlags,
  checkOptions,
  errnos,
  fail,
  fileTypes,
  label,
  MAX_LOOKUPS,
  Memory,
  openFlags,
  openHow,
  openTreeFlags,
  resolveFlags,
  resultOf,
  quote,
  type ResultOf,
  type Step,
} from '@ctr/syscall';

import { checkMode, checkPath } from './check.js';
import type { Handle } from './handle.js';

/** A place below a root directory; made by {@link inRoot}. */
export interface InRoot {
  readonly kind: 'in-root';
  readonly root: Handle;
  /** Without a slash in front; empty for the root itself. */
  readonly path: string;
  readonly create: 'directory' | 'file' | false | undefined;
  readonly mode: number | undefined;
  readonly symlinks: 'in-root' | 'refuse';
  /** Where the look-up goes on if a link leads out of the root of this place. */
  readonly beyond?: InRoot;
}

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
  if (components.includes('..')) throw new RangeError(`the path ${quote(path)} has a ".." in it: a place below a root is named from the root down`);
  if (options.mode !== undefined) checkMode(quote(path), options.mode);
  return { kind: 'in-root', root, path: components.join('/'), create: options.create, mode: options.mode, symlinks: options.symlinks ?? 'in-root' };
}

/** Steps that open a place, and its handle (O_PATH). */
export interface OpenedPlace {
  readonly steps: Step[];
  readonly fd: Handle;
}

/** Opens a place below a root, and makes what is missing. */
export function openInRoot(place: InRoot, directory: boolean): OpenedPlace {
  const create = place.create ?? (directory ? 'directory' : 'file');
  const mustBeDirectory = directory || create === 'directory';
  const as = nameOf(place);
  const components = place.path.split('/');
  const resolve = resolution(place.symlinks);
  const found = new Memory(8, as);
  const open = (depth: number, purpose: string, extra: Partial<Step>): Step => {
    const last = depth === components.length;
    const how = openHow({ flags: openFlags.O_PATH | openFlags.O_CLOEXEC | (!last || mustBeDirectory ? openFlags.O_DIRECTORY : 0), resolve });
    const path = components.slice(0, depth).join('/');
    return {
      call: 'openat2',
      args: [place.root, path, how, how.byteLength],
      purpose: `${purpose} /${path}`,
      tolerates: ['EAGAIN'],
      hints: hintsFor(path),
      ...(last && { as, into: found.at(0) }),
      ...extra,
    };
  };
  const done = label(`/${place.path} is there`);
  const check: Step = {
    call: 'add',
    args: [found.u64(), 0],
    purpose: 'was it found?',
    tolerates: ['EAGAIN'],
    jump: { when: '!=', than: -errnos.EAGAIN, to: done },
  };
  const first = open(
    components.length,
    'find',
    create === false ? {} : { tolerates: ['ENOENT', 'EAGAIN'], jump: { when: '!=', than: -errnos.ENOENT, to: check } },
  );
  const again = tryAgain(new Memory(8, 'attempts'), first);
  const steps = [first];
  if (create !== false) {
    let parent: Handle = place.root;
    for (const [i, name] of components.entries()) {
      const last = i === components.length - 1;
      steps.push(make(parent, name, components.slice(0, i + 1).join('/'), last && create === 'file' ? 'file' : 'directory', last ? place.mode : undefined));
      if (parent !== place.root) steps.push({ call: 'close', args: [parent], purpose: 'it is not needed any more' });
      const opened = last
        ? open(i + 1, 'find what is now', {})
        : open(i + 1, 'go down to', { as: name, jump: { when: '==', than: -errnos.EAGAIN, to: again } });
      steps.push(opened);
      parent = resultOf(opened);
    }
  }
  steps.push(check, again, fail(errnos.EAGAIN, `find /${place.path}`, hintsFor(place.path)), done);
  return { steps, fd: resultOf(first) };
}

/** Opens what is at a place below a root, or goes on elsewhere where nothing is. */
export function openIfThere(place: InRoot, missing: Step): { readonly steps: readonly Step[]; readonly fd: ResultOf } {
  const found = new Memory(8, nameOf(place));
  const isThere: Step = {
    call: 'add',
    args: [found.u64(), 0],
    purpose: 'is it there?',
    tolerates: ['ENOENT', 'ENOTDIR'],
    jump: { when: '<', to: missing },
  };
  const beyond = place.beyond && findAgain(place.beyond, found, resolution(place.symlinks), isThere);
  const leadsOut: Step = {
    call: 'add',
    args: [found.u64(), 0],
    purpose: 'does a link lead out of the mount?',
    tolerates: ['ENOENT', 'ENOTDIR', 'EXDEV'],
    jump: { when: '!=', than: -errnos.EXDEV, to: isThere },
  };
  const within = beyond ? resolveFlags.RESOLVE_BENEATH | resolveFlags.RESOLVE_NO_MAGICLINKS : resolution(place.symlinks);
  const { first, steps } = findAgain(place, found, within, beyond ? leadsOut : isThere);
  return { steps: [...steps, ...(beyond ? [leadsOut, ...beyond.steps] : []), isThere], fd: resultOf(first) };
}

/** A look-up that is repeated while renames come in between; goes on at `then` with the result in memory. */
function findAgain(place: InRoot, found: Memory, resolve: number, then: Step): { readonly first: Step; readonly steps: readonly Step[] } {
  const isBeneath = (resolve & resolveFlags.RESOLVE_BENEATH) !== 0;
  const first: Step = {
    ...find(place, resolve),
    tolerates: ['ENOENT', 'ENOTDIR', 'EAGAIN', ...(isBeneath ? (['EXDEV'] as const) : [])],
    into: found.at(0),
    jump: { when: '!=', than: -errnos.EAGAIN, to: then },
  };
  return { first, steps: [first, tryAgain(new Memory(8, 'attempts'), first), fail(errnos.EAGAIN, `find /${place.path}`, hintsFor(place.path))] };
}

/** The open file itself, which may be a mount of a file, has no name below it. */
function find({ root, path, ...place }: InRoot, resolve: number): Step {
  const how = openHow({ flags: openFlags.O_PATH | openFlags.O_CLOEXEC, resolve });
  return {
    ...(path === ''
      ? { call: 'open_tree', args: [root, '', openTreeFlags.OPEN_TREE_CLOEXEC | atFlags.AT_EMPTY_PATH] }
      : { call: 'openat2', args: [root, path, how, how.byteLength] }),
    purpose: `find /${path}, if it is there`,
    as: nameOf({ root, path, ...place }),
    tolerates: ['ENOENT', 'ENOTDIR'],
    hints: hintsFor(path),
  };
}

function tryAgain(attempts: Memory, first: Step): Step {
  return {
    call: 'add',
    args: [attempts.u64(), 1],
    purpose: 'a rename or a mount came in between: try again',
    into: attempts.at(0),
    jump: { when: '<', than: MAX_LOOKUPS, to: first },
  };
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
    EAGAIN: `renames or mounts kept coming in between while /${path} was looked up, which has a symbolic link with ".." in it`,
    EOVERFLOW: `/${path} is missing, and may not be made by an id that its user namespace does not map: map the ids first`,
    EACCES: `/${path} is missing or its parent may not be searched by this user: in a user namespace the root's files have to belong to mapped ids`,
  };
}

/** How a path below a root is resolved. */
function resolution(symlinks: 'in-root' | 'refuse'): number {
  return resolveFlags.RESOLVE_IN_ROOT | resolveFlags.RESOLVE_NO_MAGICLINKS | (symlinks === 'refuse' ? resolveFlags.RESOLVE_NO_SYMLINKS : 0);
}

/** A name for the place in what `explain` prints. */
function nameOf({ path }: InRoot): string {
  return `at-${path.slice(path.lastIndexOf('/') + 1)}`;
}
