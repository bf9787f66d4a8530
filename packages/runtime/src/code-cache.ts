import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';

/** What has been there for so long is made again: most of it is of versions that are gone. */
const MAX_AGE_MS = 90 * 24 * 60 * 60 * 1000;

/**
 * Keeps the code that V8 has compiled of a script from one run to the next, in `$XDG_CACHE_HOME/ctr` or `~/.cache/ctr`: compiling takes longer than the whole
 * of a container. It is made at the user's and not published with the script, since it fits one build of Node only.
 *
 * Such code is trusted as a program is. So it is read only from a file that nobody else can have written, in a directory where nobody else can put one, and
 * it is written only below a directory of the user's own: under `sudo` with the home of another there is no cache. Nothing depends on it: if anything is
 * wrong, there is none. `NODE_DISABLE_COMPILE_CACHE=1` turns it off, as it does Node's own.
 */
export class CodeCache {
  /** Where it is kept; nowhere without a home. */
  readonly #file: string | undefined;

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
    this.#file = join(parent, 'ctr', [digest, process.version, process.arch, size.toString(36), Math.trunc(mtimeMs).toString(36)].join('-'));
  }

  /** The code that was kept. V8 may still refuse it, as with other options. */
  read(): Buffer | undefined {
    if (this.#file === undefined) return undefined;
    let fd: number | undefined;
    try {
      if (!isOwn(statSync(dirname(this.#file)))) return undefined;
      fd = openSync(this.#file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
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
    if (this.#file === undefined) return;
    const directory = dirname(this.#file);
    try {
      if (!makeOwn(directory)) return;
      removeOld(directory);
      const unfinished = `${this.#file}.${process.pid}`;
      try {
        writeFileSync(unfinished, code, { flag: 'wx', mode: 0o600, flush: true });
        renameSync(unfinished, this.#file);
      } catch {
        unlinkSync(unfinished);
      }
    } catch {
      // There is no cache, then.
    }
  }
}

/** Makes a directory, and the one above it, in one of the user's; whether it may be used. */
function makeOwn(directory: string, above = 0): boolean {
  try {
    return isOwn(statSync(directory));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === 2 || !makeOwn(dirname(directory), above + 1)) return false;
    mkdirSync(directory, { mode: 0o700 });
    return true;
  }
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
function isOwn({ uid, mode }: Stats): boolean {
  return uid === process.geteuid?.() && (mode & 0o022) === 0;
}
