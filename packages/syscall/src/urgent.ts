import { epollEvents, epollOperations, openFlags } from './abi/constants.js';
import { hostArch } from './abi/numbers.js';
import { ownedFd, type Fd } from './fd.js';
import { isMainThread, whenReadable } from './ffi.js';
import { call } from './perform.js';
import { whenWatched } from './watcher.js';

/** What watches a file. */
export interface Watch extends Disposable {
  /** Stops watching; the file stays open. A second time does nothing. */
  close(): void;
}

/** linux/eventpoll.h, struct epoll_event: packed on x64 only. */
const EVENT_BYTES = hostArch() === 'x64' ? 12 : 16;

/**
 * Calls back on the event loop whenever something urgent is told by a file (POLLPRI): that a pressure file has met its trigger, that a control file has changed.
 * An error of the file, such as the removal of its group, calls back too, and again and again until the watch is closed. The event loop stays alive meanwhile.
 * What is told before the event loop has turned once may go unnoticed.
 *
 * Throws a `SyscallError` (EPERM) for a file that cannot be polled.
 *
 * @see poll(2), epoll(7)
 * @example
 * ```ts
 * import { openFd, openFlags, watchUrgent } from '@ctr/syscall';
 * using mounts = openFd('/proc/self/mountinfo', { flags: openFlags.O_RDONLY });
 * using watch = watchUrgent(mounts, () => console.log('something was mounted'));
 * ```
 */
export function watchUrgent(file: Fd, callback: () => void): Watch {
  // To look whether a pressure file has met its trigger takes the news away. An epoll(7) instance inside of another is looked at twice, once for each, so this one
  // has the file alone, and that it is readable is all that is asked of it.
  const epoll = ownedFd(call({ call: 'epoll_create1', args: [openFlags.O_CLOEXEC], purpose: 'watch a file for what is urgent' }), 'epoll');
  try {
    const event = Buffer.alloc(EVENT_BYTES);
    event.writeUInt32LE(epollEvents.EPOLLPRI, 0);
    call({ call: 'epoll_ctl', args: [epoll, epollOperations.EPOLL_CTL_ADD, file, event], purpose: 'watch a file for what is urgent' });
    const handle = (isMainThread ? whenReadable : whenWatched)(epoll.number, () => {
      if (!epoll.closed) callback();
    });
    const close = (): void => {
      if (epoll.closed) return;
      handle.close();
      epoll.close();
    };
    return { close, [Symbol.dispose]: close };
  } catch (error) {
    epoll.close();
    throw error;
  }
}
