import { clearImmediate, clearTimeout, setImmediate, setTimeout } from 'node:timers';

/**
 * The timers of Node, as they were when this module was loaded, and its clock. Those of the global object, of `node:timers` as CommonJS has it, `performance` and `Date` are
 * replaced by tests that have fake ones (vitest, jest, node:test), for whose time a container would wait for ever.
 *
 * @example
 * ```ts
 * import { nodeTimers } from '@ctr/syscall';
 * const began = nodeTimers.now();
 * await nodeTimers.delay(10);
 * console.log(nodeTimers.now() - began >= 9); // true
 * ```
 */
export const nodeTimers: NodeTimers = Object.freeze({
  setTimeout,
  clearTimeout,
  setImmediate,
  clearImmediate,
  delay,
  now: () => process.uptime() * 1000,
});

/** The timers of Node. */
export interface NodeTimers {
  readonly setTimeout: typeof setTimeout;
  readonly clearTimeout: typeof clearTimeout;
  readonly setImmediate: typeof setImmediate;
  readonly clearImmediate: typeof clearImmediate;
  /** Resolves after so many milliseconds. Rejects with the reason of the signal as soon as that fires. */
  readonly delay: (milliseconds: number, cancelSignal?: AbortSignal) => Promise<void>;
  /** Milliseconds since the process was started. (`performance.now()` is as precise, but Node loads what is behind `performance` when it is first used, in 0.5 ms.) */
  readonly now: () => number;
}

async function delay(milliseconds: number, cancelSignal?: AbortSignal): Promise<void> {
  cancelSignal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const end = (): void => {
      cancelSignal?.removeEventListener('abort', cancel);
      resolve();
    };
    const timer = nodeTimers.setTimeout(end, milliseconds);
    const cancel = (): void => {
      nodeTimers.clearTimeout(timer);
      reject(cancelSignal?.reason as Error);
    };
    cancelSignal?.addEventListener('abort', cancel, { once: true });
  });
}
