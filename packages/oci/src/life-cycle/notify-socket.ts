import { chmodSync, mkdirSync, statSync } from 'node:fs';

import { call, callInto, Memory, messageFlags, openFd, openPipe, readable, type Fd } from '@ctr/syscall';

import type { Mount } from '../config/mount.js';
import type { StateDirectory } from '../state/directory.js';
import { openProcess, type ProcessIdentity } from '../state/identity.js';
import { sendFile } from './console-socket.js';
import { bindTo, connectTo } from './unix-socket.js';

const DIRECTORY = 'notify';
const SOCKET = 'notify.sock';
/** Where the program finds the directory. */
const INSIDE = '/run/notify';
/** systemd takes no longer one. */
const MESSAGE_BYTES = 4096;
/** So many messages of a program are read at once: others have their turn. */
const MAX_AT_ONCE = 64;
/** How long whoever manages services may take to read what it is sent: sd_notify_barrier(3) has no limit of its own. */
const BARRIER_MS = 30_000;

/** What a container is given so that its program can tell that it is ready. */
export interface NotifyPlace {
  readonly mount: Mount;
  /** What stands in its environment. */
  readonly variable: string;
}

/** Makes the directory in which {@link NotifySocket} will be, and says how a container sees it: nothing but the socket can be used there, and nothing be made. */
export function makeNotifyPlace(directory: StateDirectory): NotifyPlace {
  const source = directory.file(DIRECTORY);
  mkdirSync(source);
  // Whichever user the program is.
  chmodSync(source, 0o755);
  return {
    mount: { destination: INSIDE, source, options: ['bind', 'nosuid', 'noexec', 'nodev', 'ro'] },
    variable: `NOTIFY_SOCKET=${INSIDE}/${SOCKET}`,
  };
}

/** The socket at which a program tells that it is ready, and the one of whoever manages services, which is told of that and of nothing else. @see sd_notify(3) */
export class NotifySocket implements Disposable {
  readonly #program: Fd;
  readonly #manager: Fd;

  private constructor(program: Fd, manager: Fd) {
    this.#program = program;
    this.#manager = manager;
  }

  /**
   * `undefined` for a container that was created without a place for it. Throws a `SyscallError` (ENOENT, ECONNREFUSED) if nobody is at the manager's socket.
   *
   * @param manager a path, or `@name` for an abstract socket
   */
  static open(directory: StateDirectory, manager: string): NotifySocket | undefined {
    if (!statSync(directory.file(DIRECTORY), { throwIfNoEntry: false })) return undefined;
    const there = connectTo(manager, 'SOCK_DGRAM');
    try {
      using place = openFd(directory.file(DIRECTORY), { directory: true });
      // The path of a state may be longer than that of a socket.
      const program = bindTo(`/proc/self/fd/${place.number}/${SOCKET}`);
      chmodSync(`${directory.file(DIRECTORY)}/${SOCKET}`, 0o777);
      return new NotifySocket(program, there);
    } catch (error) {
      there.close();
      throw error;
    }
  }

  /**
   * Waits until the program has told that it is ready, and tells that to the manager; or until the program has ended.
   *
   * @param mainPid told to the manager as the process that it is to watch from then on
   */
  async passOn(first: ProcessIdentity, mainPid: number | undefined): Promise<void> {
    using pidfd = openProcess(first);
    if (!pidfd) return this.#isReady() ? await this.#tell(mainPid) : undefined;
    const waiting = new AbortController();
    const options = { cancelSignal: waiting.signal };
    try {
      const ended = readable(pidfd, options).then(() => true);
      ended.catch(() => undefined);
      for (;;) {
        const told = readable(this.#program, options).then(() => false);
        told.catch(() => undefined);
        const hasEnded = await Promise.race([ended, told]);
        if (this.#isReady()) return await this.#tell(mainPid);
        if (hasEnded) return;
      }
    } finally {
      waiting.abort();
    }
  }

  [Symbol.dispose](): void {
    this.#program.close();
    this.#manager.close();
  }

  /** Whether one of the messages that have come says so. */
  #isReady(): boolean {
    const message = new Memory(MESSAGE_BYTES, 'message');
    for (let i = 0; i < MAX_AT_ONCE; i++) {
      const { result, bytes } = callInto(
        {
          call: 'recvfrom',
          args: [this.#program, message, MESSAGE_BYTES, messageFlags.MSG_DONTWAIT, null, null],
          purpose: 'what the program tells of itself',
          tolerates: ['EAGAIN'],
        },
        message,
      );
      if (result < 0) return false;
      if (bytes.subarray(0, result).toString('latin1').split('\n').includes('READY=1')) return true;
    }
    return false;
  }

  async #tell(mainPid: number | undefined): Promise<void> {
    for (const line of ['READY=1', ...(mainPid === undefined ? [] : [`MAINPID=${mainPid}`])])
      call({ call: 'write', args: [this.#manager, line, Buffer.byteLength(line)], purpose: 'tell the manager of services' });
    // Until it has read them, this process has to be there: by that it knows who has sent them.
    const { read, write } = openPipe('a barrier');
    using _read = read;
    {
      using end = write;
      sendFile(this.#manager, 'BARRIER=1', end);
    }
    await readable(read, { cancelSignal: AbortSignal.timeout(BARRIER_MS) }).catch(() => undefined);
  }
}
