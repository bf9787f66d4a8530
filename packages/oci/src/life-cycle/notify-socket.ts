import { existsSync, fchmodSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { groupAt, type Place } from '@ctr/cgroups';
import {
  call,
  callInto,
  iovec,
  isSyscallError,
  Memory,
  messageFlags,
  msghdr,
  openFlags,
  openPipe,
  readable,
  SO_PASSCRED,
  SOL_SOCKET,
  type Fd,
} from '@ctr/syscall';

import type { Mount } from '../config/mount.js';
import { makeBelow, openBelow } from '../state/below.js';
import type { StateDirectory } from '../state/directory.js';
import { openProcess, type ProcessIdentity } from '../state/identity.js';
import type { StoredState } from '../state/stored.js';
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
export interface NotifyPlace extends Disposable {
  readonly mount: Mount;
  /** The source of the mount, which nobody but the caller can reach by its path. */
  readonly source: Fd;
  /** What stands in its environment. */
  readonly variable: string;
}

/** Makes the directory in which {@link NotifySocket} will be, and says how a container sees it: nothing but the socket can be used there, and nothing be made. */
export function makeNotifyPlace(directory: StateDirectory): NotifyPlace {
  makeBelow(directory.at, DIRECTORY);
  const source = openBelow(directory.at, DIRECTORY, openFlags.O_RDONLY | openFlags.O_DIRECTORY);
  // Whichever user the program is: it does not come by the directory above, into which nobody else can look.
  fchmodSync(source.number, 0o755);
  return {
    mount: { destination: INSIDE, source: join(directory.path, DIRECTORY), options: ['bind', 'nosuid', 'noexec', 'nodev', 'ro'] },
    source,
    variable: `NOTIFY_SOCKET=${INSIDE}/${SOCKET}`,
    [Symbol.dispose]: () => source.close(),
  };
}

/** The socket at which a program tells that it is ready, and the one of whoever manages services, which is told of that and of nothing else. @see sd_notify(3) */
export class NotifySocket implements Disposable {
  readonly #program: Fd;
  readonly #manager: Fd;
  /** Whether a process is of the container. */
  readonly #isOfContainer: (pid: number) => boolean;

  private constructor(program: Fd, manager: Fd, isOfContainer: (pid: number) => boolean) {
    this.#program = program;
    this.#manager = manager;
    this.#isOfContainer = isOfContainer;
  }

  /**
   * `undefined` for a container that was created without a place for it. Throws a `SyscallError` (ENOENT, ECONNREFUSED) if nobody is at the manager's socket.
   *
   * @param container its state, while its first process waits to be started
   * @param manager a path, or `@name` for an abstract socket
   */
  static open(directory: StateDirectory, container: StoredState, manager: string): NotifySocket | undefined {
    using place = placeIn(directory);
    if (!place) return undefined;
    const there = connectTo(manager, 'SOCK_DGRAM');
    let program: Fd | undefined;
    try {
      // The path of a state may be longer than that of a socket.
      program = bindTo(`/proc/self/fd/${place.number}/${SOCKET}`);
      call({
        call: 'setsockopt',
        args: [program, SOL_SOCKET, SO_PASSCRED, new Memory(new Uint8Array(Int32Array.of(1).buffer), 'on'), 4],
        purpose: 'know who sends',
      });
      call({ call: 'fchmodat', args: [place, SOCKET, 0o777], purpose: 'whichever user the program is' });
      return new NotifySocket(program, there, membersOf(container.process?.pid ?? 0, container.places));
    } catch (error) {
      program?.close();
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
    for (let i = 0; i < MAX_AT_ONCE; i++) {
      const message = receive(this.#program);
      if (!message) return false;
      if (message.text.split('\n').includes('READY=1') && this.#isMember(message.pid)) return true;
    }
    return false;
  }

  /** One that is gone by now was of the container, or root of the host: nobody else has a way to the socket. One of a foreign pid namespace has no pid here. */
  #isMember(pid: number): boolean {
    return pid > 0 && (!existsSync(`/proc/${pid}`) || this.#isOfContainer(pid));
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

/** None where nobody asked for one. */
function placeIn(directory: StateDirectory): Fd | undefined {
  try {
    return openBelow(directory.at, DIRECTORY, openFlags.O_RDONLY | openFlags.O_DIRECTORY);
  } catch (error) {
    if (isSyscallError(error) && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The first process, and who is in its pid namespace, or in its group where the pid namespace is that of others, too. An ordinary user cannot look into the first process before its program runs,
 * nor into any that is undumpable: one that is not to be known is no member.
 */
function membersOf(first: number, places: readonly Place[]): (pid: number) => boolean {
  let own = namespaceOf(first);
  return (pid) => {
    if (pid === first) return true;
    own ??= namespaceOf(first);
    if (own === undefined) return false;
    if (own !== namespaceOf('self')) return namespaceOf(pid) === own;
    return places.length > 0 && groupAt(places).pids().includes(pid);
  };
}

function namespaceOf(pid: number | 'self'): number | undefined {
  try {
    return statSync(`/proc/${pid}/ns/pid`).ino;
  } catch {
    // It is gone, or may not be looked into.
    return undefined;
  }
}

/** struct cmsghdr with struct ucred of linux/socket.h, which stands there before any files: these have no room, and are closed. */
const CREDENTIALS_BYTES = 32;
const PID = 16;

/** A message, and the pid of who has sent it. @see unix(7): SO_PASSCRED */
function receive(socket: Fd): { readonly text: string; readonly pid: number } | undefined {
  const memory = new Memory(MESSAGE_BYTES + CREDENTIALS_BYTES, 'message');
  const header = msghdr({
    msg_iov: iovec({ iov_base: memory.at(0), iov_len: MESSAGE_BYTES }),
    msg_iovlen: 1,
    msg_control: memory.at(MESSAGE_BYTES),
    msg_controllen: CREDENTIALS_BYTES,
  });
  const { result, bytes } = callInto(
    { call: 'recvmsg', args: [socket, header, messageFlags.MSG_DONTWAIT], purpose: 'what the program tells of itself', tolerates: ['EAGAIN'] },
    memory,
  );
  return result < 0 ? undefined : { text: bytes.toString('latin1', 0, result), pid: bytes.readInt32LE(MESSAGE_BYTES + PID) };
}
