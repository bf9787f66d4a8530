import { setTimeout as delay } from 'node:timers/promises';

import { checkOptions } from '@ctr/syscall';

import { CgroupError } from './error.js';

/** How long something may take. */
export interface WaitOptions {
  /** In milliseconds. @default 5000 */
  readonly timeoutMs?: number;
  /** Stops waiting when it fires; the promise rejects with its reason. */
  readonly cancelSignal?: AbortSignal;
}

const MAX_PAUSE_MS = 50;

/** Tries again and again, with pauses that grow, until it is done; a {@link CgroupError} of kind `still-running` once it is late. */
export async function waitUntil(
  options: WaitOptions,
  { done, late }: { done: () => boolean | Promise<boolean>; late: (timeoutMs: number) => string },
): Promise<void> {
  checkOptions('options', options, ['timeoutMs', 'cancelSignal']);
  const { timeoutMs = 5000, cancelSignal } = options;
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    cancelSignal?.throwIfAborted();
    if (await done()) return;
    if (performance.now() >= deadline) throw new CgroupError('still-running', late(timeoutMs));
    // The timer's own error would say only that something was aborted.
    await delay(pauseMs, undefined, cancelSignal && { signal: cancelSignal }).catch(() => cancelSignal?.throwIfAborted());
  }
}
