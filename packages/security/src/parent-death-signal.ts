import { prctlOptions, signals, type SignalName, type Step } from '@ctr/syscall';

import { checkWord } from './check.js';

/**
 * The process gets a signal when the thread that is its parent ends; `none` undoes it. The kernel forgets it at a change of user or group,
 * and at the execve(2) of a program that brings rights with it.
 *
 * It does not notice a parent that has ended before: `dieWithHost` of @ctr/syscall looks for that, too, and is what a launched plan wants.
 *
 * Throws a `RangeError` for what is no signal.
 *
 * @see PR_SET_PDEATHSIG(2const)
 * @example
 * ```ts
 * import { parentDeathSignal } from '@ctr/security';
 * const steps = parentDeathSignal('SIGTERM');
 * ```
 */
export function parentDeathSignal(signal: SignalName | 'none'): Step[] {
  if (signal !== 'none') checkWord('there is no signal', signal, signals);
  const purpose = signal === 'none' ? 'the end of the parent is no signal' : `${signal} at the end of the parent`;
  return [{ call: 'prctl', args: [prctlOptions.PR_SET_PDEATHSIG, signal === 'none' ? 0 : signals[signal], 0, 0, 0], purpose }];
}
