import { unwatch, watch } from './epoll.js';
import type { Fd } from './fd.js';

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
