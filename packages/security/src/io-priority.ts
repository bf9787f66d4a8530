import { checkOptions, IOPRIO_CLASS_SHIFT, ioPriorityClasses, ioPriorityTargets, type Step } from '@ctr/syscall';

import { checkInteger, checkWord } from './check.js';

/** When the disk serves a process, by the kernel's names, which are those of the OCI runtime-spec as well. */
export interface IoPriority {
  /** Realtime, best effort, or only when nobody else asks. */
  readonly class: 'IOPRIO_CLASS_RT' | 'IOPRIO_CLASS_BE' | 'IOPRIO_CLASS_IDLE';
  /** 0 to 7 within the class, the lower the sooner. IOPRIO_CLASS_IDLE has only one. @default 4, and 0 for IOPRIO_CLASS_IDLE */
  readonly priority?: number;
}

/**
 * Sets the I/O priority of the process, which what is executed inherits. Only some I/O schedulers (bfq, mq-deadline) heed it.
 *
 * The step fails with EPERM for IOPRIO_CLASS_RT without CAP_SYS_NICE or CAP_SYS_ADMIN (of the first user namespace).
 * Throws a `RangeError` for a class or a priority that is none.
 *
 * @see ioprio_set(2)
 * @example
 * ```ts
 * import { ioPriority } from '@ctr/security';
 * const steps = ioPriority({ class: 'IOPRIO_CLASS_IDLE' });
 * ```
 */
export function ioPriority(options: IoPriority): Step[] {
  checkOptions('ioPriority', options, ['class', 'priority']);
  const isIdle = options.class === 'IOPRIO_CLASS_IDLE';
  const { class: name, priority = isIdle ? 0 : 4 } = options;
  const { IOPRIO_CLASS_NONE: _, ...classes } = ioPriorityClasses;
  checkWord('ioPriority: there is no class', name, classes);
  checkInteger('ioPriority: priority', priority, 0, 7);
  const value = (classes[name] << IOPRIO_CLASS_SHIFT) | priority;
  return [
    {
      call: 'ioprio_set',
      args: [ioPriorityTargets.IOPRIO_WHO_PROCESS, 0, value],
      purpose: 'when the disk serves it',
      hints: { EPERM: 'IOPRIO_CLASS_RT needs CAP_SYS_NICE or CAP_SYS_ADMIN, and not only in a user namespace' },
    },
  ];
}
