import { checkOptions, nodeTimers } from '@ctr/syscall';

import { CgroupError } from './error.js';

/** How long something may take. */
export interface WaitOptions {
  /** In milliseconds. @default 5000 */
  readonly timeoutMs?: number;
  /** Stops waiting when it fires; the promise rejects with its reason. */
  readonly cancelSignal?: AbortSignal;
}

const MAX_PAUSE_MS = 50;
/** So long a group may be frozen by somebody who thaws it again at once, as whoever kills what is in it does. */
const PASSING_MS = 200;

/** What is waited for. */
export interface Waiting {
  readonly done: () => boolean | Promise<boolean>;
  /** What to say once it is late. */
  readonly late: (timeoutMs: number) => string;
  /** The reason why waiting is of no use, if there is one. */
  readonly hopeless?: () => Error | undefined;
}

/** Tries again and again, with pauses that grow, until it is done; a {@link CgroupError} of kind `still-running` once it is late, and the reason why it is hopeless as soon as there is one. */
export async function waitUntil(options: WaitOptions, { done, late, hopeless }: Waiting): Promise<void> {
  checkOptions('options', options, ['timeoutMs', 'cancelSignal']);
  const { timeoutMs = 5000, cancelSignal } = options;
  const begin = nodeTimers.now();
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    cancelSignal?.throwIfAborted();
    if (await done()) return;
    const elapsedMs = nodeTimers.now() - begin;
    const reason = elapsedMs >= Math.min(PASSING_MS, timeoutMs) ? hopeless?.() : undefined;
    if (reason) throw reason;
    if (elapsedMs >= timeoutMs) throw new CgroupError('still-running', late(timeoutMs));
    await nodeTimers.delay(pauseMs, cancelSignal);
  }
}
