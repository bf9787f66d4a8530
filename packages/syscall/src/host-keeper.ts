import { closeSync, constants, openSync } from 'node:fs';

import { socketDomains, socketTypes, waitFlags } from './abi/constants.js';
import { errnoName } from './abi/errno.js';
import { syscallNumber } from './abi/numbers.js';
import { unwatch, watch } from './epoll.js';
import { SyscallError } from './error.js';
import { ownedFd, type Fd } from './fd.js';
import { allocate, syscall } from './ffi.js';
import { hintFor } from './hints.js';
import { keeperPlan } from './keeper-plan.js';
import { openPipe } from './pipe.js';
import type { Plan } from './step.js';
import { holdProcess, holdsFiles, letGoOfProcess } from './thread-end.js';
import { currentIds } from './user.js';

const numbers = {
  pidfdOpen: syscallNumber('pidfd_open'),
  socketpair: syscallNumber('socketpair'),
  wait4: syscallNumber('wait4'),
};
const pair = allocate(16);

/** What the host has of its keeper: the end of the socket that registrations go by, and that of the pipe whose closing tells of the host's end. */
interface Ends {
  readonly socket: Fd;
  readonly alive: Fd | number;
}

/** A keeper that is to be started, as soon as a process is there for it to keep. */
interface Planned extends Ends {
  readonly theirs: readonly [socket: Fd, alive: Fd];
}

interface Running extends Ends {
  readonly pid: number;
  readonly pidfd: Fd | undefined;
  readonly ids: string;
}

/** By the ids of this process: a keeper that has been started as another user may not be allowed to kill what this one starts. */
const planned = new Map<string, Planned>();
const running = new Map<string, Running>();

/** The socket by which processes register, of a keeper that runs, or that {@link startKeeper} starts. */
export function keeperSocket(): Fd {
  const ids = currentIds();
  const there = running.get(ids);
  if (there) reap(there);
  const keeper = running.get(ids) ?? planned.get(ids);
  if (keeper) return keeper.socket;
  const made = plan();
  planned.set(ids, made);
  return made.socket;
}

/**
 * Starts the keeper that {@link keeperSocket} has planned, if it has. After the first process that is to be kept: that one waits for the keeper, where it has to,
 * and the two get ready at the same time.
 *
 * @param start starts a plan, and returns its pid
 */
export function startKeeper(start: (plan: Plan) => number): void {
  const ids = currentIds();
  const made = planned.get(ids);
  if (!made) return;
  const { socket, alive, theirs } = made;
  planned.delete(ids);
  try {
    const pid = start(keeperPlan(...theirs));
    holdProcess(pid, { isKeeper: true });
    // There is one for the whole life of the process, and it does not keep that alive.
    const number = syscall(numbers.pidfdOpen, pid, 0);
    const pidfd = number < 0 ? undefined : ownedFd(number, 'keeper');
    const keeper: Running = { socket, alive, pid, pidfd, ids };
    running.set(ids, keeper);
    if (pidfd) watch(pidfd.number, 'readable', () => reap(keeper), true);
  } catch (error) {
    close({ socket, alive });
    throw error;
  } finally {
    for (const end of theirs) end.close();
  }
}

/** A keeper that somebody has killed: what it has kept goes on, tied to the host by its own attribute alone, and the next start brings another. */
function reap(keeper: Running): void {
  const { pid, pidfd } = keeper;
  const isHeld = letGoOfProcess(pid);
  if (syscall(numbers.wait4, pid, 0, waitFlags.WNOHANG | waitFlags.__WALL) === 0) {
    if (isHeld) holdProcess(pid, { isKeeper: true });
    return;
  }
  if (pidfd) {
    unwatch(pidfd.number);
    pidfd.close();
  }
  close(keeper);
  if (running.get(keeper.ids) === keeper) running.delete(keeper.ids);
}

function close({ socket, alive }: Ends): void {
  socket.close();
  if (typeof alive === 'number') closeSync(alive);
  else alive.close();
}

function plan(): Planned {
  const opened: Fd[] = [];
  try {
    const error = syscall(numbers.socketpair, socketDomains.AF_UNIX, socketTypes.SOCK_SEQPACKET | socketTypes.SOCK_CLOEXEC, 0, pair.address);
    if (error < 0) {
      const hint = hintFor('socketpair', errnoName(-error));
      const line = 'socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0)';
      throw new SyscallError({ call: 'socketpair', line, errno: -error, purpose: 'a way to the keeper', ...(hint !== undefined && { hint }) });
    }
    const ours = ownedFd(pair.bytes.readInt32LE(0), 'way to the keeper');
    const theirs = ownedFd(pair.bytes.readInt32LE(4), 'way from the containers');
    opened.push(ours, theirs);
    const { read, write } = openPipe('life of the host');
    opened.push(read, write);
    return { socket: ours, alive: holdsFiles() ? write : asNodes(write), theirs: [theirs, read] };
  } catch (error) {
    for (const fd of opened) fd.close();
    throw error;
  }
}

/** Node closes at the end of a worker thread what that has opened by `fs`, and nothing else: the pipe tells of this end, too. */
function asNodes(write: Fd): number {
  const number = openSync(`/proc/self/fd/${write.number}`, constants.O_WRONLY);
  write.close();
  return number;
}
