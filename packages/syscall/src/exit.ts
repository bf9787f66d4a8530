import { signals, waitFlags } from './abi/constants.js';
import { syscallNumber } from './abi/numbers.js';
import { unwatch, watch } from './epoll.js';
import { allocate, syscall } from './ffi.js';
import { closeFile, holdFile, holdProcess, letGoOfProcess } from './thread-end.js';

/** The name of a signal: `SIGTERM`. */
export type SignalName = keyof typeof signals;

/** How a process ended, and what it used (of itself and the children it has waited for). */
export interface Exit {
  /** Its exit code, unless a signal ended it. */
  readonly code?: number;
  readonly signal?: SignalName;
  readonly userMicroseconds: number;
  readonly systemMicroseconds: number;
  readonly maxResidentBytes: number;
}

const numbers = { kill: syscallNumber('kill'), pidfdOpen: syscallNumber('pidfd_open'), wait4: syscallNumber('wait4') };
const scratch = allocate(160);
const STATUS = 0;
const RUSAGE = 8; // struct rusage of linux/resource.h, 144 bytes

const noExit: Exit = { userMicroseconds: 0, systemMicroseconds: 0, maxResidentBytes: 0 };

/** Waits on the event loop for a child of this process to end, and reaps it. */
export function ended(pid: number): Promise<Exit> {
  const now = reap(pid, waitFlags.WNOHANG);
  if (now) return Promise.resolve(now);
  const pidfd = syscall(numbers.pidfdOpen, pid, 0);
  if (pidfd < 0) {
    // No file left to watch it with: it must not outlive what can be known of it.
    syscall(numbers.kill, pid, signals.SIGKILL);
    return Promise.resolve(reap(pid, 0) ?? noExit);
  }
  holdFile(pidfd);
  return new Promise((resolve) => {
    watch(pidfd, 'readable', () => {
      const exit = reap(pid, waitFlags.WNOHANG);
      if (!exit) return;
      unwatch(pidfd);
      closeFile(pidfd);
      resolve(exit);
    });
  });
}

/** wait4(2): how the process ended, or `undefined` if it has not yet. */
export function reap(pid: number, flags: number): Exit | undefined {
  const isHeld = letGoOfProcess(pid);
  const waited = syscall(numbers.wait4, pid, scratch.address + STATUS, flags | waitFlags.__WALL, scratch.address + RUSAGE);
  if (waited === 0) {
    if (isHeld) holdProcess(pid);
    return undefined;
  }
  if (waited < 0) return noExit;
  const status = scratch.bytes.readInt32LE(STATUS);
  const number = status & 0x7f;
  const used = { userMicroseconds: long(0) * 1e6 + long(1), systemMicroseconds: long(2) * 1e6 + long(3), maxResidentBytes: long(4) * 1024 };
  return number === 0 ? { code: (status >> 8) & 0xff, ...used } : { signal: signalName(number), ...used };
}

/** A field of the rusage: all that are read are below 2**53. */
function long(index: number): number {
  return scratch.bytes.readInt32LE(RUSAGE + index * 8 + 4) * 2 ** 32 + scratch.bytes.readUInt32LE(RUSAGE + index * 8);
}

/**
 * The name of a signal's number; `SIGRTMIN+n` for a real-time one.
 *
 * @example
 * ```ts
 * import { signalName } from '@ctr/syscall';
 * signalName(9); // 'SIGKILL'
 * ```
 */
export function signalName(number: number): SignalName {
  const name = Object.entries(signals).find(([, value]) => value === number)?.[0] ?? `SIGRTMIN+${number - 34}`;
  return name as SignalName;
}
