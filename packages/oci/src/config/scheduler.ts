import { schedulingFlags } from '@ctr/syscall';

import { integer, list, object, required, uint64, word, type Schema } from '../schema/schema.js';

/** How the program gets the processor. @see sched_setattr(2) */
export interface Scheduler {
  readonly policy: (typeof policies)[number];
  /** From -20 to 19. @default 0 */
  readonly nice?: number;
  /** Of `SCHED_FIFO` and `SCHED_RR`: from 1 to 99. */
  readonly priority?: number;
  readonly flags?: readonly (keyof typeof schedulingFlags)[];
  /** Of `SCHED_DEADLINE`: in nanoseconds, as `deadline` and `period` are. */
  readonly runtime?: number | bigint;
  readonly deadline?: number | bigint;
  readonly period?: number | bigint;
}

/** `SCHED_ISO` is in the runtime-spec, but in no kernel. */
const policies = ['SCHED_OTHER', 'SCHED_FIFO', 'SCHED_RR', 'SCHED_BATCH', 'SCHED_ISO', 'SCHED_IDLE', 'SCHED_DEADLINE'] as const;

export const scheduler: Schema<Scheduler> = object<Scheduler>(
  {
    policy: required(word(policies)),
    nice: integer(-20, 19),
    priority: integer(0, 99),
    flags: list(word(Object.keys(schedulingFlags) as (keyof typeof schedulingFlags)[])),
    runtime: uint64(),
    deadline: uint64(),
    period: uint64(),
  },
  ({ policy, priority = 0, runtime = 0, deadline = 0, period = 0 }, report) => {
    const realtime = policy === 'SCHED_FIFO' || policy === 'SCHED_RR';
    if (realtime && priority === 0) report.error('priority', priority, `from 1 to 99 with ${policy}`);
    if (!realtime && priority !== 0) report.error('priority', priority, `0 with ${policy}: only SCHED_FIFO and SCHED_RR have one`);
    if (policy !== 'SCHED_DEADLINE') {
      for (const [name, value] of Object.entries({ runtime, deadline, period }))
        if (BigInt(value) !== 0n) report.error(name, value, `0 with ${policy}: only SCHED_DEADLINE has one`);
    } else if (BigInt(runtime) === 0n || runtime > deadline) report.error('runtime', runtime, `from 1 to the deadline, ${deadline}`);
    else if (BigInt(period) !== 0n && deadline > period) report.error('deadline', deadline, `no more than the period, ${period}`);
  },
);
