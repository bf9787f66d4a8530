import { firstRefused, handOverListener, seccomp, type SeccompFilter } from '@ctr/security';
import { errnoName, type Plan, type Step } from '@ctr/syscall';

/** Loads a filter right before the program, with nothing behind it but execve(2). One by which somebody is asked is loaded before: who that is is sought while the container is created. */
export function loadLate(filter: SeccompFilter | undefined): Step[] {
  return filter && !filter.notifies ? seccomp(filter) : [];
}

/** Loads a filter by which somebody is asked, and hands over to the host by which they answer. */
export function loadEarly(filter: SeccompFilter | undefined): Step[] {
  return filter?.notifies ? handOverListener(seccomp(filter)) : [];
}

/** Whether a filter lets a plan look why its program could not be executed. */
export function maySayWhy(filter: SeccompFilter | undefined): boolean {
  return !filter || !firstRefused(filter, [{ call: 'faccessat', args: [], purpose: 'whether a file is there' }]);
}

/**
 * Refuses a filter under which the plan could not go on to the program, before there is a process: what comes behind the program is made only where that cannot be executed.
 * Calls that somebody is asked about wait for an answer, as soon as they can be asked. Throws a `TypeError`.
 */
export function checkFilter(filter: SeccompFilter | undefined, steps: Plan): void {
  if (!filter) return;
  const from = steps.findLastIndex(({ call }) => call === 'seccomp') + 1;
  const last = steps.findLastIndex(({ call }) => call === 'execve');
  // The host is told of the listener, and hands it on when the plan waits for it.
  const asked = filter.notifies ? steps.findIndex(({ call }, index) => index >= from && call === 'write') : -1;
  for (let at = from; at <= last;) {
    const refused = firstRefused(filter, steps.slice(at, last + 1));
    if (!refused) return;
    const { step, verdict, index } = refused;
    if (verdict.action !== 'SCMP_ACT_NOTIFY' || at + index <= asked) {
      const answer = verdict.action === 'SCMP_ACT_ERRNO' ? errnoName(verdict.data) : verdict.action;
      throw new TypeError(`linux.seccomp answers ${step.call} with ${answer}, which has to be made after it is loaded (${step.purpose}): allow it`);
    }
    at += index + 1;
  }
}
