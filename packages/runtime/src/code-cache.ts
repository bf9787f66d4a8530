import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  readlinkSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';

/** What has been there for so long is made again: most of it is of versions that are gone. */
const MAX_AGE_MS = 90 * 24 * 60 * 60 * 1000;
/** linux/namei.h: MAXSYMLINKS */
const MAX_LINKS = 40;
/** linux/stat.h: S_ISVTX */
const STICKY = 0o1000;

/**
 * Keeps the code that V8 has compiled of a script from one run to the next, in `$XDG_CACHE_HOME/ctr` or `~/.cache/ctr`: compiling takes longer than the whole
 * of a container. It is made at the user's and not published with the script, since it fits one build of Node only.
 *
 * Such code is trusted as a program is. It is read, written and removed only in a directory of the user's own, by a path on which each directory and link belongs to the user or to root
 * and nobody else can exchange one: under `sudo` with the home of another there is no cache, wherever the links in that home lead. Nothing depends on it: if anything is
 * wrong, there is none. `NODE_DISABLE_COMPILE_CACHE=1` turns it off, as it does Node's own.
 */
export class CodeCache {
  /** Where it is kept; nowhere without a home. */
  readonly #directory: string | undefined;
  readonly #name: string = '';

  /** @param digest names the content of the script, of which V8 itself compares nothing but the length */
  constructor(digest: string) {
    const { XDG_CACHE_HOME: caches = '', HOME: home = '', NODE_DISABLE_COMPILE_CACHE: disabled } = process.env;
    const parent = isAbsolute(caches) ? caches : isAbsolute(home) ? join(home, '.cache') : undefined;
    if (parent === undefined || disabled) return;
    // V8 compares its version and its options; builds of one version that differ are told apart by the executable.
    const executable = statSync(process.execPath, { throwIfNoEntry: false });
    // Without /proc nobody knows where it is.
    if (!executable) return;
    const { size, mtimeMs } = executable;
    this.#directory = join(parent, 'ctr');
    this.#name = [digest, process.version, process.arch, size.toString(36), Math.trunc(mtimeMs).toString(36)].join('-');
  }

  /** The code that was kept. V8 may still refuse it, as with other options. */
  read(): Buffer | undefined {
    if (this.#directory === undefined) return undefined;
    let fd: number | undefined;
    try {
      const directory = ownDirectory(this.#directory, 'fail');
      if (directory === undefined) return undefined;
      fd = openSync(join(directory, this.#name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const stats = fstatSync(fd);
      if (!stats.isFile() || !isOwn(stats)) return undefined;
      const code = Buffer.allocUnsafeSlow(stats.size);
      return readSync(fd, code) === stats.size ? code : undefined;
    } catch {
      return undefined;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /** Keeps the code: all of it or nothing, also if the power fails. */
  write(code: Buffer): void {
    if (this.#directory === undefined) return;
    try {
      const directory = ownDirectory(this.#directory, 'make');
      if (directory === undefined) return;
      removeOld(directory);
      const file = join(directory, this.#name);
      const unfinished = `${file}.${process.pid}`;
      try {
        writeFileSync(unfinished, code, { flag: 'wx', mode: 0o600, flush: true });
        renameSync(unfinished, file);
      } catch {
        unlinkSync(unfinished);
      }
    } catch {
      // There is no cache, then.
    }
  }
}

/**
 * The real path of a directory, which is made if it is missing, along with the one above it. ENOENT if it is not there and not to be made.
 * `undefined` if anybody but the user and root can change what the path leads to.
 *
 * @param above how far above the cache it is
 */
function ownDirectory(directory: string, missing: 'make' | 'fail', above = 0): string | undefined {
  try {
    const real = ownPath(directory);
    if (real === undefined || !isOwn(lstatSync(real))) return undefined;
    return above > 0 || !isWritable(lstatSync(dirname(real))) ? real : undefined;
  } catch (error) {
    if (missing === 'fail' || (error as NodeJS.ErrnoException).code !== 'ENOENT' || above === 2) throw error;
    const parent = ownDirectory(dirname(directory), missing, above + 1);
    if (parent === undefined) return undefined;
    const made = join(parent, basename(directory));
    mkdirSync(made, { mode: 0o700 });
    return made;
  }
}

/**
 * Follows a path by directories and links of the user and of root alone, in directories where nobody else can exchange them: in one that others can write, the sticky bit
 * keeps them from that.
 *
 * @returns the path without links; `undefined` where something on the way belongs to somebody else
 */
function ownPath(path: string): string | undefined {
  const user = process.geteuid?.();
  const rest = path.split('/');
  let at = '/';
  for (let links = 0; rest.length > 0;) {
    const name = rest.shift() ?? '';
    const next = join(at, name);
    const stats = lstatSync(next);
    if (stats.uid !== 0 && stats.uid !== user) return undefined;
    if (stats.isSymbolicLink()) {
      if (++links > MAX_LINKS) return undefined;
      const target = readlinkSync(next);
      rest.unshift(...target.split('/'));
      if (isAbsolute(target)) at = '/';
    } else {
      if (isWritable(stats) && (stats.mode & STICKY) === 0) return undefined;
      at = next;
    }
  }
  return at;
}

/** Only what has such a name: others may keep something there, too. */
function removeOld(directory: string): void {
  for (const name of readdirSync(directory).filter((each) => /^\w+-v\d[^-]*-\w+-/.test(each))) {
    const path = join(directory, name);
    const stats = lstatSync(path);
    if (stats.isFile() && stats.mtimeMs < Date.now() - MAX_AGE_MS) unlinkSync(path);
  }
}

/** Nobody else can write it. */
function isOwn(stats: Stats): boolean {
  return stats.uid === process.geteuid?.() && !isWritable(stats);
}

function isWritable({ mode }: Stats): boolean {
  return (mode & 0o022) !== 0;
}
