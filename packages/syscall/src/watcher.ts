import type { Socket } from 'node:net';

import { fcntlCommands, maskHow, prctlOptions, signals, waitFlags } from './abi/constants.js';
import { hostArch, syscallNumber } from './abi/numbers.js';
import { compileParts } from './compile/compile.js';
import type { Fd } from './fd.js';
import { allocate, spawn, syscall, whenReadable, type Readiness } from './ffi.js';
import { forget, leaveAlone } from './known-children.js';
import { sealedMemfd } from './memfd.js';
import { Memory } from './memory.js';
import { openPipe, type Pipe } from './pipe.js';
import { label, type Plan } from './step.js';
import { closeFile, holdFile, holdProcess, letGoOfProcess, spawnedPidAddress } from './thread-end.js';

/** The files of the watcher: the epoll instance, the pipe by which it tells the news, and the one by which it is told that they have been taken. */
const EPOLL = 4;
const NEWS = 5;
const TAKEN = 6;
const FIRST_FREE = TAKEN + 1;

/**
 * Waits for an epoll instance of the host in its place. A poll handle of the event loop calls back into JavaScript, which ends the whole process where the thread is terminated at that
 * moment: koffi throws an error into it that nobody can catch. A pipe that Node itself reads has no such moment.
 *
 * @see epoll(7): the instance watches open files, so that any process can wait by it
 */
function watcherPlan(): Plan {
  const wait = label('wait again');
  const event = new Memory(16, 'event');
  return [
    { call: 'prctl', args: [prctlOptions.PR_SET_PDEATHSIG, signals.SIGKILL, 0, 0, 0], purpose: 'end with the thread that has started it' },
    { call: 'rt_sigprocmask', args: [maskHow.SIG_BLOCK, new Memory(Buffer.alloc(8, 0xff), 'all'), null, 8], purpose: 'no signals of the terminal' },
    { call: 'prctl', args: [prctlOptions.PR_SET_DUMPABLE, 0, 0, 0, 0], purpose: 'nobody looks into this process' },
    { call: 'prctl', args: [prctlOptions.PR_SET_NAME, 'ctr-watcher', 0, 0, 0], purpose: 'a name to find it by' },
    { call: 'chdir', args: ['/'], purpose: 'no directory of the host stays in use' },
    { call: 'close_range', args: [0, EPOLL - 1, 0], purpose: 'no file of the host' },
    { call: 'close_range', args: [FIRST_FREE, 0xffffffff, 0], purpose: 'stays in use' },
    wait,
    { call: 'epoll_pwait', args: [EPOLL, event, 1, -1, null, 8], purpose: 'wait', tolerates: ['EINTR'], jump: { when: '<', than: 1, to: wait } },
    { call: 'write', args: [NEWS, '!', 1], purpose: 'there is something' },
    { call: 'read', args: [TAKEN, event, 1], purpose: 'wait until it has been taken', jump: { when: '==', than: 1, to: wait } },
    { call: 'exit_group', args: [0], purpose: 'the host has closed the pipe' },
  ];
}

const numbers = {
  fcntl: syscallNumber('fcntl'),
  kill: syscallNumber('kill'),
  wait4: syscallNumber('wait4'),
  write: syscallNumber('write'),
};

/** Starts a process of the plan with these files. @returns its pid, or `-errno` */
function startWith(plan: Plan, files: readonly (readonly [from: number, to: number])[]): number {
  const file = compileParts([plan], hostArch());
  const image = allocate(file.length + 4);
  const opened: number[] = [];
  try {
    image.bytes.set(file);
    image.bytes.write('ctr', file.length, 'latin1');
    opened.push(sealedMemfd(image, file.length, image.address + file.length));
    for (const fd of opened) holdFile(fd);
    // One that has the number of another's place would be overwritten.
    const fds = files.map(([from, to]) => {
      const copy = syscall(numbers.fcntl, from, fcntlCommands.F_DUPFD_CLOEXEC, FIRST_FREE);
      if (copy >= 0) {
        opened.push(copy);
        holdFile(copy);
      }
      return [copy, to] as const;
    });
    const lacking = fds.find(([copy]) => copy < 0);
    return lacking ? lacking[0] : spawn(`/proc/self/fd/${opened[0]}`, fds, spawnedPidAddress());
  } finally {
    for (const fd of opened) closeFile(fd);
  }
}

/** A watcher that runs. */
interface Watcher {
  readonly socket: Socket;
  readonly close: () => void;
}

const byte = allocate(1);

function startWatcher(epoll: number, callback: () => void, lost: () => void): Watcher | undefined {
  // To load it takes 2 ms, for which only a thread waits that has something to watch.
  const { Socket } = process.getBuiltinModule('node:net');
  const ends: Fd[] = [];
  const pipe = (name: string): Pipe => {
    const made = openPipe(name);
    ends.push(made.read, made.write);
    return made;
  };
  try {
    const [news, taken] = [pipe('news'), pipe('news that were taken')];
    const pid = startWith(watcherPlan(), [
      [epoll, EPOLL],
      [news.write.number, NEWS],
      [taken.read.number, TAKEN],
    ]);
    if (pid < 0) return undefined;
    leaveAlone(pid);
    holdProcess(pid);
    news.write.close();
    taken.read.close();
    const socket = new Socket({ fd: news.read.release(), readable: true, writable: false });
    let isClosed = false;
    const close = (): void => {
      if (isClosed) return;
      isClosed = true;
      socket.destroy();
      taken.write.close();
      syscall(numbers.kill, pid, signals.SIGKILL);
      letGoOfProcess(pid);
      syscall(numbers.wait4, pid, 0, waitFlags.__WALL, 0);
      forget(pid);
    };
    socket.on('data', () => {
      try {
        callback();
      } finally {
        if (!isClosed) syscall(numbers.write, taken.write.number, byte.address, 1);
      }
    });
    // Somebody has killed it.
    socket.once('close', () => {
      if (isClosed) return;
      close();
      lost();
    });
    return { socket, close };
  } catch (error) {
    for (const end of ends) end.close();
    throw error;
  }
}

/**
 * Calls back when an epoll instance is readable, as `whenReadable` does, by a process that waits for it. Another one is started where somebody has killed it.
 * Where none can be started, it is `whenReadable` itself.
 */
export function whenWatched(epoll: number, callback: () => void): Readiness {
  let isReferenced = true;
  let isClosed = false;
  let watcher: Watcher | undefined;
  let handle: Readiness | undefined;
  const start = (): void => {
    watcher = startWatcher(epoll, callback, () => {
      if (!isClosed) start();
    });
    if (!watcher) handle = whenReadable(epoll, callback);
    if (!isReferenced) unref();
  };
  const unref = (): void => {
    isReferenced = false;
    watcher?.socket.unref();
    handle?.unref();
  };
  start();
  return {
    close() {
      isClosed = true;
      watcher?.close();
      handle?.close();
    },
    ref() {
      isReferenced = true;
      watcher?.socket.ref();
      handle?.ref();
    },
    unref,
  };
}
