import { constants, fstatSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { call, Fd, quote } from '@ctr/syscall';

import { OciError } from '../error.js';
import { MAX_TEXT_BYTES } from '../json/parse-json.js';
import { checkId } from './root.js';

/** linux/fcntl.h and asm-generic/fcntl.h */
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_TIMEOUT_MS = 30_000;
const LOCK_PAUSE_MS = 5;
/** A directory that nobody else changes, until its lock is closed by all who have it open. */
export interface LockedDirectory {
  readonly directory: StateDirectory;
  readonly lock: Fd;
}

/** The directory in which the state of one container is kept. */
export class StateDirectory {
  readonly id: string;
  readonly path: string;

  private constructor(root: string, id: string) {
    this.id = id;
    this.path = join(root, id);
  }

  /**
   * Makes it, and locks it: of several who try, one does. Rejects with an {@link OciError}: `exists` for the others, `does-not-exist` if somebody has deleted it right away.
   */
  static async create(root: string, id: string): Promise<LockedDirectory> {
    checkId(id);
    const directory = new StateDirectory(root, id);
    mkdirSync(root, { recursive: true, mode: 0o711 });
    try {
      mkdirSync(directory.path, { mode: 0o711 });
    } catch (error) {
      throw codeOf(error) === 'EEXIST' ? exists(id) : error;
    }
    const lock = await directory.lock();
    // Between the two it may have been deleted, and made by another: whoever locks it first has it.
    if (readdirSync(directory.path).length === 0) return { directory, lock };
    lock.close();
    throw exists(id);
  }

  /** Finds it. Throws an {@link OciError} `does-not-exist`. */
  static open(root: string, id: string): StateDirectory {
    checkId(id);
    const directory = new StateDirectory(root, id);
    const stat = lstatSync(directory.path, { throwIfNoEntry: false });
    if (!stat?.isDirectory()) throw doesNotExist(id);
    // What somebody else has put there tells which processes to kill and which directories to remove.
    if (stat.uid !== process.geteuid?.()) throw new OciError('broken', `container ${id}: ${directory.path} belongs to user ${stat.uid}`);
    return directory;
  }

  /** Those that are there, in the order of their names. */
  static all(root: string): StateDirectory[] {
    let names: string[];
    try {
      names = readdirSync(root);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
    return names.toSorted().flatMap((name) => {
      try {
        return [StateDirectory.open(root, name)];
      } catch {
        return [];
      }
    });
  }

  /**
   * Waits until nobody else changes the container. The lock ends with the processes that have it.
   * Rejects with an {@link OciError}: `does-not-exist` if the container is gone by then, `busy` if somebody else does not let go of it.
   *
   * @see flock(2)
   */
  async lock(timeoutMs = LOCK_TIMEOUT_MS): Promise<Fd> {
    const fd = new Fd(this.#open(), this.path);
    try {
      for (const end = Date.now() + timeoutMs; !tryLock(fd); await sleep(LOCK_PAUSE_MS))
        if (Date.now() >= end)
          throw new OciError('busy', `container ${this.id} is being changed by another process, which has not ended within ${timeoutMs} ms`);
      // It may have been removed, and even made anew, while we waited.
      const now = statSync(this.path, { throwIfNoEntry: false });
      if (now?.ino !== fstatSync(fd.number).ino) throw doesNotExist(this.id);
    } catch (error) {
      fd.close();
      throw error;
    }
    return fd;
  }

  #open(): number {
    try {
      return openSync(this.path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    } catch (error) {
      throw codeOf(error) === 'ENOENT' ? doesNotExist(this.id) : error;
    }
  }

  /** The path of something in it. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** The text of a file. Throws an {@link OciError} `does-not-exist` if the container is gone. */
  read(name: string): string {
    try {
      if (statSync(this.file(name)).size > MAX_TEXT_BYTES) throw new OciError('broken', `container ${this.id}: ${name} has more than ${MAX_TEXT_BYTES} bytes`);
      return readFileSync(this.file(name), 'utf8');
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      if (statSync(this.path, { throwIfNoEntry: false })) throw new OciError('broken', `container ${this.id}: its state has no ${name}`);
      throw doesNotExist(this.id);
    }
  }

  /** Replaces a file: whoever reads it has the old one or the new one. It need not outlive the machine, as no container does. */
  write(name: string, text: string): void {
    const unfinished = this.file(`.${name}.${process.pid}`);
    try {
      writeFileSync(unfinished, text, { flag: 'wx', mode: 0o600 });
      renameSync(unfinished, this.file(name));
    } catch (error) {
      rmSync(unfinished, { force: true });
      throw error;
    }
  }

  /** @param last the file without which nothing is known any more: whoever is killed before has not begun */
  remove(last: string): void {
    for (const name of readdirSync(this.path)) if (name !== last) rmSync(this.file(name), { recursive: true, force: true });
    rmSync(this.path, { recursive: true, force: true });
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

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
