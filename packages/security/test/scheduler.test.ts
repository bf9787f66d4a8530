import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { scheduler, type Scheduler } from '@ctr/security';

describe('scheduler', () => {
  it('is one call, with what the policy has', () => {
    const plans: Scheduler[] = [
      { policy: 'SCHED_OTHER' },
      { policy: 'SCHED_BATCH', nice: -5, flags: ['SCHED_FLAG_RESET_ON_FORK', 'SCHED_FLAG_KEEP_PARAMS'] },
      { policy: 'SCHED_RR', priority: 99 },
      { policy: 'SCHED_DEADLINE', runtimeNs: 1_000_000, deadlineNs: 5_000_000, periodNs: 10_000_000 },
    ];
    expect(explain(plans.flatMap(scheduler))).toMatchInlineSnapshot(`
      "1  sched_setattr(0, {size=56, sched_policy=SCHED_OTHER}, 0)  # how it gets the processor
      2  sched_setattr(0, {size=56, sched_policy=SCHED_BATCH, sched_flags=SCHED_FLAG_RESET_ON_FORK|SCHED_FLAG_KEEP_PARAMS, sched_nice=-5}, 0)  # how it gets the processor
      3  sched_setattr(0, {size=56, sched_policy=SCHED_RR, sched_priority=99}, 0)  # how it gets the processor
      4  sched_setattr(0, {size=56, sched_policy=SCHED_DEADLINE, sched_runtime=1000000, sched_deadline=5000000, sched_period=10000000}, 0)  # how it gets the processor"
    `);
  });

  it('refuses what the policy has not, or lacks', () => {
    expect(() => scheduler({ policy: 'SCHED_FIFO' })).toThrow(new RangeError('scheduler: priority of SCHED_FIFO is 0: it has to be an integer from 1 to 99'));
    expect(() => scheduler({ policy: 'SCHED_OTHER', priority: 1 })).toThrow('scheduler: priority of SCHED_OTHER is 1: it has to be an integer from 0 to 0');
    expect(() => scheduler({ policy: 'SCHED_IDLE', periodNs: 5 })).toThrow(
      new TypeError('scheduler: SCHED_IDLE has no runtimeNs, deadlineNs and periodNs: only SCHED_DEADLINE has'),
    );
    expect(() => scheduler({ policy: 'SCHED_DEADLINE' })).toThrow('scheduler: runtimeNs is 0: it has to be an integer from 1024');
    expect(() => scheduler({ policy: 'SCHED_DEADLINE', runtimeNs: 5000, deadlineNs: 4000 })).toThrow(
      'scheduler: deadlineNs is 4000: it has to be an integer from 5000',
    );
    expect(() => scheduler({ policy: 'SCHED_DEADLINE', runtimeNs: 5000, deadlineNs: 6000, periodNs: 5500 })).toThrow('scheduler: periodNs is 5500');
  });

  it('refuses what there is none of', () => {
    expect(() => scheduler({ policy: 'SCHED_FIFI' as 'SCHED_FIFO', priority: 1 })).toThrow('there is no policy: "SCHED_FIFI": did you mean SCHED_FIFO?');
    expect(() => scheduler({ policy: 'SCHED_OTHER', flags: ['RESET' as 'SCHED_FLAG_RECLAIM'] })).toThrow('scheduler: there is no flag: "RESET"');
    for (const nice of [-21, 20, 0.5]) expect(() => scheduler({ policy: 'SCHED_OTHER', nice })).toThrow(RangeError);
    expect(() => scheduler({ policy: 'SCHED_OTHER', niceness: 1 } as never)).toThrow(TypeError);
  });
});
