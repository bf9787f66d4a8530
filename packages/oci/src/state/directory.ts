import { fchmodSync, fstatSync, mkdirSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { atFlags, call, isSyscallError, nodeTimers, openFd, openFlags, quote, resolveFlags, type Fd } from '@ctr/syscall';

import { OciError } from '../error.js';
import { MAX_TEXT_BYTES } from '../json/parse-json.js';
import { makeBelow, openBelow, removeBelow } from './below.js';
import { checkId, defaultRoot } from './root.js';

/** linux/fcntl.h and asm-generic/fcntl.h */
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_TIMEOUT_MS = 30_000;
const LOCK_PAUSE_MS = 5;
/** inode(7): who else may write, and the sticky bit. */
const WRITABLE = 0o022;
const OTHERS = 0o077;
const STICKY = 0o1000;
/** So many files are opened at a time to remove what was made. */
const SPARE_FILES = 6;

/** A directory that nobody else changes, until its lock is closed by all who have it open. */
export interface LockedDirectory {
  readonly directory: StateDirectory;
  readonly lock: Fd;
}

/** One that was made. */
export interface NewDirectory extends LockedDirectory {
  /** Room in the table of open files: who gives it up can remove what was made, also where the table was full. */
  readonly spare: Spare;
}

/**
 * The directory in which the state of one container is kept: opened once, without following a link, and checked on the open file. All that is in it is reached from there,
 * whatever becomes of the paths above. The path of the root itself is the caller's own.
 */
export class StateDirectory implements Disposable {
  readonly id: string;
  /** Where it was found: for messages, and for those who have no other way to it. */
  readonly path: string;
  /** The directory itself. */
  readonly at: Fd;
  readonly #root: Fd;

  private constructor(root: Fd, at: Fd, id: string) {
    this.id = id;
    this.path = join(root.path ?? '', id);
    this.at = at;
    this.#root = root;
  }

  /**
   * Makes it, and locks it: of several who try, one does. Rejects with an {@link OciError}: `exists` for the others, `does-not-exist` if somebody has deleted it right away,
   * `broken` for a root in which others can exchange what is there.
   */
  static async create(root: string, id: string): Promise<NewDirectory> {
    checkId(id);
    mkdirSync(root, { recursive: true, mode: 0o700 });
    const above = openRoot(root);
    let spare: Spare | undefined;
    try {
      spare = new Spare(above);
      makeBelow(above, id);
    } catch (error) {
      spare?.[Symbol.dispose]();
      above.close();
      throw isSyscallError(error) && error.code === 'EEXIST' ? exists(id) : error;
    }
    let directory: StateDirectory | undefined;
    try {
      directory = StateDirectory.#openIn(above, id);
      const lock = await directory.lock();
      // Between the two it may have been deleted, and made by another: whoever locks it first has it.
      if (directory.names().length === 0) return { directory, lock, spare };
      lock.close();
      throw exists(id);
    } catch (error) {
      directory?.[Symbol.dispose]();
      spare[Symbol.dispose]();
      if (isSyscallError(error)) removeEmpty(root, id);
      throw error;
    }
  }

  /** Finds it. Throws an {@link OciError}: `does-not-exist`, or `broken` for one of another user, or in a root in which others can exchange what is there. */
  static open(root: string, id: string): StateDirectory {
    checkId(id);
    try {
      return StateDirectory.#openIn(openRoot(root), id);
    } catch (error) {
      throw isSyscallError(error) && ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(error.code) ? doesNotExist(id) : error;
    }
  }

  /** Closes the root if there is none. */
  static #openIn(root: Fd, id: string): StateDirectory {
    let at: Fd | undefined;
    try {
      at = openBelow(root, id, openFlags.O_RDONLY | openFlags.O_DIRECTORY);
      const { uid, mode } = fstatSync(at.number);
      // What somebody else has put there tells which processes to kill and which directories to remove.
      if (uid !== process.geteuid?.()) throw new OciError('broken', `container ${id}: ${join(root.path ?? '', id)} belongs to user ${uid}`);
      if ((mode & OTHERS) !== 0) fchmodSync(at.number, 0o700);
      return new StateDirectory(root, at, id);
    } catch (error) {
      at?.close();
      root.close();
      throw error;
    }
  }

  /** The ids of those that are there, in their order. */
  static ids(root: string): string[] {
    try {
      using above = openRoot(root);
      return readdirSync(`/proc/self/fd/${above.number}`).toSorted();
    } catch (error) {
      if (isSyscallError(error) && error.code === 'ENOENT') return [];
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.at.close();
    this.#root.close();
  }

  /**
   * Waits until nobody else changes the container. The lock ends with the processes that have it.
   * Rejects with an {@link OciError}: `does-not-exist` if the container is gone by then, `busy` if somebody else does not let go of it.
   *
   * @see flock(2)
   */
  async lock(timeoutMs = LOCK_TIMEOUT_MS): Promise<Fd> {
    const fd = this.#again(this.at, '.');
    try {
      for (const end = nodeTimers.now() + timeoutMs; !tryLock(fd); await nodeTimers.delay(LOCK_PAUSE_MS))
        if (nodeTimers.now() >= end)
          throw new OciError('busy', `container ${this.id} is being changed by another process, which has not ended within ${timeoutMs} ms`);
      // It may have been removed, and even made anew, while we waited.
      using now = this.#again(this.#root, this.id);
      if (fstatSync(now.number).ino !== fstatSync(fd.number).ino) throw doesNotExist(this.id);
    } catch (error) {
      fd.close();
      throw error;
    }
    return fd;
  }

  #again(at: Fd, name: string): Fd {
    try {
      return openBelow(at, name, openFlags.O_RDONLY | openFlags.O_DIRECTORY);
    } catch (error) {
      throw isSyscallError(error) && error.code === 'ENOENT' ? doesNotExist(this.id) : error;
    }
  }

  /** The names in it. */
  names(): string[] {
    return readdirSync(`/proc/self/fd/${this.at.number}`);
  }

  /** The text of a file of the caller's. Throws an {@link OciError}: `does-not-exist` if the container is gone, `broken` for what is no such file. */
  read(name: string): string {
    try {
      using file = openBelow(this.at, name, openFlags.O_RDONLY | openFlags.O_NONBLOCK);
      const stat = fstatSync(file.number);
      if (!stat.isFile() || stat.uid !== process.geteuid?.()) throw this.#broken(`${name} is no file of its owner`);
      if (stat.size > MAX_TEXT_BYTES) throw this.#broken(`${name} has more than ${MAX_TEXT_BYTES} bytes`);
      return readFileSync(file.number, 'utf8');
    } catch (error) {
      if (!isSyscallError(error)) throw error;
      if (error.code === 'ELOOP' || error.code === 'ENXIO') throw this.#broken(`${name} is no file of its owner`);
      if (error.code !== 'ENOENT') throw error;
      // The number of its names: none once it is removed.
      if (fstatSync(this.at.number).nlink > 0) throw this.#broken(`its state has no ${name}`);
      throw doesNotExist(this.id);
    }
  }

  /** Replaces a file: whoever reads it has the old one or the new one. It need not outlive the machine, as no container does. */
  write(name: string, text: string): void {
    const unfinished = `.${name}.${process.pid}`;
    try {
      using file = openFd(unfinished, {
        at: this.at,
        flags: openFlags.O_WRONLY | openFlags.O_CREAT | openFlags.O_EXCL,
        mode: 0o600,
        resolve: resolveFlags.RESOLVE_BENEATH,
      });
      for (let bytes = Buffer.from(text), at = 0; at < bytes.length;) at += writeSync(file.number, bytes, at);
      call({ call: 'renameat2', args: [this.at, unfinished, this.at, name, 0], purpose: `keep ${name} of the state` });
    } catch (error) {
      removeBelow(this.at, unfinished);
      throw error;
    }
  }

  /** @param last the file without which nothing is known any more: whoever is killed before has not begun */
  remove(last: string): void {
    for (const name of this.names()) if (name !== last) removeBelow(this.at, name);
    removeBelow(this.at, last);
    // What has been put in its place is not empty, or is removed without loss.
    call({ call: 'unlinkat', args: [this.#root, this.id, atFlags.AT_REMOVEDIR], purpose: `remove the state of ${this.id}`, tolerates: ['ENOENT'] });
  }

  #broken(what: string): OciError {
    return new OciError('broken', `container ${this.id}: ${what}`);
  }
}

/** Files that are open for nothing but the room that they take. */
export class Spare implements Disposable {
  readonly #files: Fd[] = [];

  /** Throws a `SyscallError` (EMFILE), and leaves nothing open then. */
  constructor(directory: Fd) {
    try {
      for (let i = 0; i < SPARE_FILES; i++) this.#files.push(openFd('.', { at: directory }));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.splice(0)) file.close();
  }
}

/** What another one has begun in it stays. */
function removeEmpty(root: string, id: string): void {
  using above = openRoot(root);
  call({ call: 'unlinkat', args: [above, id, atFlags.AT_REMOVEDIR], purpose: `remove the state of ${id}`, tolerates: ['ENOENT', 'ENOTEMPTY'] });
}

/** The directory of all states. The sticky bit keeps others who may write from renaming, and not its owner. One that an older version has made for everybody to look into is closed to others; which directory is given with --root is the caller's decision. */
function openRoot(path: string): Fd {
  const root = openFd(path, { flags: openFlags.O_RDONLY, directory: true });
  const { uid, mode } = fstatSync(root.number);
  const own = process.geteuid?.();
  try {
    if ((uid !== own && uid !== 0) || ((mode & STICKY) === 0 && (mode & WRITABLE) !== 0))
      throw new OciError(
        'broken',
        `${path} is no place for the states of containers: it belongs to user ${uid} with the mode ${(mode & 0o7777).toString(8)}, so that others can exchange what is there`,
      );
    if (uid === own && (mode & OTHERS) !== 0 && path === defaultRoot()) fchmodSync(root.number, 0o700);
    return root;
  } catch (error) {
    root.close();
    throw error;
  }
}

function tryLock(fd: Fd): boolean {
  return call({ call: 'flock', args: [fd, LOCK_EX | LOCK_NB], purpose: 'nobody else changes the container', tolerates: ['EAGAIN', 'EINTR'] }) === 0;
}

function exists(id: string): OciError {
  return new OciError('exists', `container with given ID already exists: ${id}`);
}

function doesNotExist(id: string): OciError {
  return new OciError('does-not-exist', `container does not exist: ${quote(id)}`);
}
