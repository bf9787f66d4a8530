import { checkOptions, schedAttr, schedulingFlags, schedulingPolicies, type Step } from '@ctr/syscall';

import { checkInteger, checkWord } from './check.js';

/** How the processor is given to a process, by the kernel's names, which are those of the OCI runtime-spec as well. */
export interface Scheduler {
  readonly policy: keyof typeof schedulingPolicies;
  /** Niceness, -20 to 19, the lower the more, for SCHED_OTHER and SCHED_BATCH. @default 0 */
  readonly nice?: number;
  /** 1 to 99, the higher the sooner; what SCHED_FIFO and SCHED_RR need, and no other. */
  readonly priority?: number;
  /** `SCHED_FLAG_RESET_ON_FORK` and the like. @default none */
  readonly flags?: readonly (keyof typeof schedulingFlags)[];
  /** For SCHED_DEADLINE: processor time in each period, in nanoseconds. */
  readonly runtimeNs?: number;
  /** For SCHED_DEADLINE: within which time of its start it is given, in nanoseconds. */
  readonly deadlineNs?: number;
  /** For SCHED_DEADLINE: the period, in nanoseconds. @default the deadline */
  readonly periodNs?: number;
}

/** What the kernel takes as the least runtime, in nanoseconds: DL_SCALE of kernel/sched/sched.h */
const LEAST_RUNTIME = 1024;
const isRealtime = (policy: Scheduler['policy']): boolean => policy === 'SCHED_FIFO' || policy === 'SCHED_RR';

/**
 * Sets the scheduling policy of the process, which what is executed inherits.
 *
 * The step fails with EPERM without CAP_SYS_NICE where the rlimits `nice` and `rtprio` do not allow it, with EBUSY for a SCHED_DEADLINE that the processors cannot keep.
 * Throws a `RangeError` for a value out of bounds, a `TypeError` for one that the policy has not, or lacks.
 *
 * @see sched_setattr(2), sched(7)
 * @example
 * ```ts
 * import { scheduler } from '@ctr/security';
 * const steps = scheduler({ policy: 'SCHED_BATCH', nice: 10 });
 * ```
 */
export function scheduler(options: Scheduler): Step[] {
  checkOptions('scheduler', options, ['policy', 'nice', 'priority', 'flags', 'runtimeNs', 'deadlineNs', 'periodNs']);
  const { policy, nice = 0, priority = 0, flags = [], runtimeNs = 0, deadlineNs = 0, periodNs = 0 } = options;
  checkWord('scheduler: there is no policy', policy, schedulingPolicies);
  for (const flag of flags) checkWord('scheduler: there is no flag', flag, schedulingFlags);
  checkInteger('scheduler: nice', nice, -20, 19);
  checkInteger(`scheduler: priority of ${policy}`, priority, isRealtime(policy) ? 1 : 0, isRealtime(policy) ? 99 : 0);
  if (policy === 'SCHED_DEADLINE') checkDeadline(runtimeNs, deadlineNs, periodNs);
  else if (runtimeNs + deadlineNs + periodNs !== 0)
    throw new TypeError(`scheduler: ${policy} has no runtimeNs, deadlineNs and periodNs: only SCHED_DEADLINE has`);
  const attributes = schedAttr({
    size: schedAttr.byteLength,
    sched_policy: schedulingPolicies[policy],
    ...(flags.length > 0 && { sched_flags: flags.reduce((sum, flag) => sum | schedulingFlags[flag], 0) }),
    ...(nice !== 0 && { sched_nice: nice }),
    ...(priority !== 0 && { sched_priority: priority }),
    ...(policy === 'SCHED_DEADLINE' && { sched_runtime: runtimeNs, sched_deadline: deadlineNs, sched_period: periodNs }),
  });
  return [
    {
      call: 'sched_setattr',
      args: [0, attributes, 0],
      purpose: 'how it gets the processor',
      hints: {
        EPERM: `this needs CAP_SYS_NICE, unless the rlimit ${isRealtime(policy) ? 'rtprio' : 'nice'} allows as much`,
        EBUSY: 'the processors have no room for so much SCHED_DEADLINE',
      },
    },
  ];
}

function checkDeadline(runtime: number, deadline: number, period: number): void {
  checkInteger('scheduler: runtimeNs', runtime, LEAST_RUNTIME, Number.MAX_SAFE_INTEGER);
  checkInteger('scheduler: deadlineNs', deadline, runtime, Number.MAX_SAFE_INTEGER);
  if (period !== 0) checkInteger('scheduler: periodNs', period, deadline, Number.MAX_SAFE_INTEGER);
}
