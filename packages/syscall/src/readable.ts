import { unwatch, watch } from './epoll.js';
import type { Fd } from './fd.js';
import { isMainThread } from './ffi.js';
import type { Watch } from './urgent.js';

/** How long to wait for a file. */
export interface ReadableOptions {
  /** Ends the wait: the promise is rejected with the signal's reason. */
  readonly cancelSignal?: AbortSignal;
}

/** The files that are waited for. */
const waiting = new Set<number>();

/**
 * Waits on the event loop until there is something to read in a file, or nobody is left who could write: for a pipe, a socket, a pidfd or a seccomp listener,
 * on which a read would block. The file has to stay open meanwhile; the event loop stays alive.
 *
 * Rejects with a `TypeError` if the file is waited for already, and with a `SyscallError` (EPERM) for a file that is always ready, as a regular one is.
 *
 * @see epoll(7)
 * @example
 * ```ts
 * import { call, openPipe, readable } from '@ctr/syscall';
 * const { read, write } = openPipe('news');
 * setTimeout(() => call({ call: 'write', args: [write, 'x', 1], purpose: 'tell' }), 10);
 * await readable(read);
 * for (const end of [read, write]) end.close();
 * ```
 */
export function readable(file: Fd, { cancelSignal }: ReadableOptions = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    cancelSignal?.throwIfAborted();
    const { number } = file;
    if (waiting.has(number)) throw new TypeError(`the file ${String(file)} is waited for already`);
    const end = (): void => {
      unwatch(number);
      waiting.delete(number);
      cancelSignal?.removeEventListener('abort', cancel);
    };
    const cancel = (): void => {
      end();
      reject(cancelSignal?.reason as Error);
    };
    watch(number, 'readable', () => {
      end();
      resolve();
    });
    waiting.add(number);
    cancelSignal?.addEventListener('abort', cancel, { once: true });
  });
}

/**
 * Calls back on the event loop whenever there is something to read in a file, or nobody is left who could write, until the watch is closed: for a pipe, a socket or a pidfd.
 * It may call back once without a reason, so that a file which is read then has to be one of O_NONBLOCK. The event loop stays alive meanwhile.
 *
 * Throws a `TypeError` if the file is waited for already.
 *
 * @returns `undefined` in a worker thread, whose files a process watches in its place: a stream of Node's is quicker there
 * @see epoll(7)
 * @example
 * ```ts
 * import { openPipe, watchReadable } from '@ctr/syscall';
 * const { read, write } = openPipe('news');
 * using watch = watchReadable(read, () => console.log('there is something, or there will be nothing any more'));
 * write.close();
 * read.close();
 * ```
 */
export function watchReadable(file: Fd, callback: () => void): Watch | undefined {
  if (!isMainThread) return undefined;
  const { number } = file;
  if (waiting.has(number)) throw new TypeError(`the file ${String(file)} is waited for already`);
  watch(number, 'readable', callback);
  waiting.add(number);
  const close = (): void => {
    if (waiting.delete(number)) unwatch(number);
  };
  return { close, [Symbol.dispose]: close };
}
