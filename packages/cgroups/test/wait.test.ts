import { describe, expect, it } from 'vitest';

import { CgroupError } from '@ctr/cgroups';

import { waitUntil } from '../src/wait.js';

describe('waitUntil', () => {
  const late = (timeoutMs: number): string => `not within ${timeoutMs} ms`;

  it('tries until it is done', async () => {
    let tries = 0;
    await waitUntil({}, { done: () => (tries += 1) === 4, late });
    expect(tries).toBe(4);
  });

  it('tries once before it is late', async () => {
    await waitUntil({ timeoutMs: 0 }, { done: () => true, late });
    await expect(waitUntil({ timeoutMs: 0 }, { done: () => false, late })).rejects.toThrow(new CgroupError('still-running', 'not within 0 ms'));
  });

  it('stops when it is cancelled, with the reason', async () => {
    const controller = new AbortController();
    const waiting = waitUntil({ cancelSignal: controller.signal }, { done: () => false, late });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });
});
