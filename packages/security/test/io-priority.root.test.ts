import { call, ioPriorityTargets, launch, waitForHost } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { capabilitySets, ioPriority, type IoPriority } from '@ctr/security';

import { end, rejection } from './launched.js';

describe('ioPriority', () => {
  it.each<[IoPriority, number]>([
    [{ class: 'IOPRIO_CLASS_BE', priority: 6 }, 0x4006],
    [{ class: 'IOPRIO_CLASS_IDLE' }, 0x6000],
  ])('is what the kernel has of the process: %o', async (options, value) => {
    let found: number | undefined;
    const look = (pid: number): void => {
      found = call({ call: 'ioprio_get', args: [ioPriorityTargets.IOPRIO_WHO_PROCESS, pid], purpose: 'its priority' });
    };
    const child = await launch([...ioPriority(options), ...waitForHost('look'), end(0)], { onWaiting: look });
    await child.exited;
    expect(found).toBe(value);
  });

  it('needs a right for realtime', async () => {
    const error = await rejection(launch([...capabilitySets({ permitted: [] }), ...ioPriority({ class: 'IOPRIO_CLASS_RT' })]));
    expect(error.message).toMatch(/^ioprio_set\(IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE\(IOPRIO_CLASS_RT, 4\)\) = EPERM .*\nhint: IOPRIO_CLASS_RT needs/);
  });
});
