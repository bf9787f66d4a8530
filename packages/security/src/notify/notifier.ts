import { setMaxListeners } from 'node:events';

import {
  callInto,
  checkOptions,
  ioctls,
  Memory,
  pollEvents,
  pollfd,
  readable,
  seccompNotif,
  seccompNotifSizes,
  seccompOperations,
  timespec,
  type Fd,
} from '@ctr/syscall';

import { Notification } from './notification.js';

/** How long notifications are waited for. */
export interface NotifierOptions {
  /** Closes the notifier: the iteration rejects with the signal's reason, and calls that wait for an answer fail with ENOSYS. */
  readonly cancelSignal?: AbortSignal;
}

/**
 * Answers system calls of other processes, in place of the kernel: those that a seccomp filter asks a supervisor about (`SCMP_ACT_NOTIFY`).
 * It takes the listener of the filter, which {@link handOverListener} brings to the host.
 *
 * It is iterated for the calls, one at a time, and ends when no process is left that has the filter. A next call can be taken before the last one is answered.
 * An error that is thrown in the loop ends the loop: what a caller may bring about, such as EMFILE, is better caught and answered. Closing the notifier,
 * which disposing does, lets every call that waits, and each one that the filter asks about from then on, fail with ENOSYS.
 *
 * @see seccomp_unotify(2)
 * @example A program for which no directory can be made
 * ```ts
 * import { handOverListener, noNewPrivs, Notifier, seccomp } from '@ctr/security';
 * import { launch, type Fd } from '@ctr/syscall';
 * async function answer(listener: Fd): Promise<void> {
 *   using notifier = new Notifier(listener);
 *   for await (const notification of notifier) notification.fail('EROFS');
 * }
 * let answered: Promise<void> | undefined;
 * const child = await launch(
 *   [
 *     ...noNewPrivs(),
 *     ...handOverListener(seccomp({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_NOTIFY' }] })),
 *     { call: 'execve', args: ['/bin/sh', ['sh', '-c', 'mkdir /tmp/new || true'], ['PATH=/bin:/usr/bin']], purpose: 'the program' },
 *   ],
 *   { onFile: (listener) => void (answered = answer(listener)) },
 * );
 * await child.exited;
 * await answered;
 * ```
 */
export class Notifier implements AsyncIterable<Notification>, Disposable, AsyncDisposable {
  readonly #listener: Fd;
  readonly #cancelSignal: AbortSignal | undefined;
  readonly #closing = new AbortController();

  /** Takes a listener, and closes it in the end. */
  constructor(listener: Fd, options: NotifierOptions = {}) {
    checkOptions('Notifier', options, ['cancelSignal']);
    this.#listener = listener;
    this.#cancelSignal = options.cancelSignal;
    if (options.cancelSignal) {
      // One signal may cancel any number of notifiers: that is no leak.
      setMaxListeners(0, options.cancelSignal);
      options.cancelSignal.addEventListener('abort', this.#cancel, { once: true });
      if (options.cancelSignal.aborted) this.close();
    }
  }

  /** The calls as they are made. Throws a `SyscallError` (ENOTTY) for a file that is no listener. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Notification, void, undefined> {
    for (;;) {
      // Other work of the event loop gets its turn before each call, however many there are.
      if (!(await this.#isReady())) return;
      const events = this.#poll();
      if (events & pollEvents.POLLIN) {
        const notification = this.#receive();
        if (notification) yield notification;
      } else if (events & (pollEvents.POLLHUP | pollEvents.POLLERR)) return;
    }
  }

  /** Ends the iteration and closes the listener; a second time does nothing. */
  close(): void {
    this.#cancelSignal?.removeEventListener('abort', this.#cancel);
    this.#closing.abort();
    this.#listener.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  readonly #cancel = (): void => this.close();

  /** Waits for a call, or the end of all callers; `false` once this is closed. */
  async #isReady(): Promise<boolean> {
    const { signal } = this.#closing;
    if (!signal.aborted) {
      try {
        await readable(this.#listener, { cancelSignal: signal });
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
    if (signal.aborted) this.#cancelSignal?.throwIfAborted();
    return !signal.aborted;
  }

  /** What is the case now: to receive where nothing is there would block. */
  #poll(): number {
    const poll = pollfd({ fd: this.#listener, events: pollEvents.POLLIN });
    const { bytes } = callInto({ call: 'ppoll', args: [poll, 1, timespec({}), null, 8], purpose: 'is there a notification?', tolerates: ['EINTR'] }, poll);
    return bytes.readUInt16LE(pollfd.offsetOf('revents'));
  }

  /** The next call; `undefined` if its caller has gone meanwhile. */
  #receive(): Notification | undefined {
    const memory = new Memory(notificationBytes(), 'notification');
    const args = [this.#listener, ioctls.SECCOMP_IOCTL_NOTIF_RECV, memory] as const;
    const { result, bytes } = callInto({ call: 'ioctl', args, purpose: 'take a notification', tolerates: ['ENOENT', 'EINTR'] }, memory);
    return result === 0 ? new Notification(this.#listener, bytes) : undefined;
  }
}

let known: number | undefined;

/** What the kernel writes, which may be more than is known here. */
function notificationBytes(): number {
  if (known === undefined) {
    const sizes = seccompNotifSizes({});
    const { bytes } = callInto({ call: 'seccomp', args: [seccompOperations.SECCOMP_GET_NOTIF_SIZES, 0, sizes], purpose: 'the size of a notification' }, sizes);
    known = Math.max(bytes.readUInt16LE(seccompNotifSizes.offsetOf('seccomp_notif')), seccompNotif.byteLength);
  }
  return known;
}
