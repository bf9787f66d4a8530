import { isSyscallError, launch } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { capabilitySets, rlimits, scheduler } from '@ctr/security';

import { launched, program, rejection } from './launched.js';

/** Fields of /proc/self/stat of a program: nice, rt_priority, policy. */
async function scheduled(plan: ReturnType<typeof scheduler>): Promise<string> {
  const { output } = await launched([...plan, ...program('/bin/cat', '/proc/self/stat')]);
  const fields = output.slice(output.lastIndexOf(')') + 2).split(' ');
  return [16, 37, 38].map((index) => fields[index]).join(' ');
}

describe('scheduler', () => {
  it('is what the program has', async () => {
    expect(await scheduled(scheduler({ policy: 'SCHED_OTHER' }))).toBe('0 0 0');
    expect(await scheduled(scheduler({ policy: 'SCHED_BATCH', nice: 7 }))).toBe('7 0 3');
    expect(await scheduled(scheduler({ policy: 'SCHED_IDLE' }))).toBe('0 0 5');
  });

  it('may be realtime', async ({ skip }) => {
    const outcome = await scheduled(scheduler({ policy: 'SCHED_FIFO', priority: 3 })).catch((error: unknown) => error);
    skip(isSyscallError(outcome) && outcome.code === 'EPERM', 'this root has no CAP_SYS_NICE, or its control group no realtime (CONFIG_RT_GROUP_SCHED)');
    expect(outcome).toBe('0 3 1');
  });

  it('needs a right for more than others have', async () => {
    const powerless = [...rlimits({ nice: 0, rtprio: 0 }), ...capabilitySets({ permitted: [] })];
    const realtime = await rejection(launch([...powerless, ...scheduler({ policy: 'SCHED_RR', priority: 1 })]));
    expect(realtime.message).toMatch(
      /^sched_setattr\(0, \{size=56, sched_policy=SCHED_RR, sched_priority=1\}, 0\) = EPERM .*\nhint: this needs CAP_SYS_NICE, unless the rlimit rtprio/,
    );
  });
});
