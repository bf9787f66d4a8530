import { firstRefused, handOverListener, seccomp, type SeccompFilter } from '@ctr/security';
import { errnoName, type Plan, type Step } from '@ctr/syscall';

import type { Process } from '../config/process.js';

/** Whether the filter is loaded right before the program: not without no_new_privs, nor where somebody is to be told of calls, who is sought while the container is created. */
export function isLate(filter: SeccompFilter | undefined, { noNewPrivileges }: Process): filter is SeccompFilter {
  return filter !== undefined && noNewPrivileges === true && !filter.notifies;
}

/** Loads it, and hands over to the host by which somebody is told of calls, if somebody is to be. */
export function loadFilter(filter: SeccompFilter | undefined): Step[] {
  if (!filter) return [];
  return filter.notifies ? handOverListener(seccomp(filter)) : seccomp(filter);
}

/** Refuses a filter under which the plan could not go on to the program, before there is a process. Throws a `TypeError`. */
export function checkFilter(filter: SeccompFilter | undefined, steps: Plan): void {
  if (!filter) return;
  const loaded = steps.findLastIndex(({ call }) => call === 'seccomp');
  const refused = firstRefused(filter, steps.slice(loaded + 1));
  if (!refused) return;
  const { step, verdict } = refused;
  const answer = verdict.action === 'SCMP_ACT_ERRNO' ? errnoName(verdict.data) : verdict.action;
  throw new TypeError(`linux.seccomp answers ${step.call} with ${answer}, which has to be made after it is loaded (${step.purpose}): allow it`);
}
