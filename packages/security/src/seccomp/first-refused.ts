import { errnoName, syscallNumbers, type Arg, type Plan, type Step } from '@ctr/syscall';

import { isLooser, letsThrough, verdictOf, type SeccompVerdict } from './action.js';
import { auditArchOf } from './architecture.js';
import { dataOffsets } from './assembler.js';
import type { SeccompFilter } from './compile-filter.js';
import { decode, outcomes } from './simulate.js';

/** A step that a filter does not allow. */
export interface RefusedStep {
  readonly step: Step;
  /** Its index among the steps that were given. */
  readonly index: number;
  /** What the filter does with it, at best. */
  readonly verdict: SeccompVerdict;
}

/**
 * Finds the first of the steps after a filter that it would not let through, whatever the arguments are that are not known yet: the results of other steps,
 * and where things are in memory. So a profile under which a plan cannot go on, say one without execve, is found before there is a process.
 * A step that tolerates the errno it would get is no matter. Where steps jump to is not looked at: all of them are taken for what may come.
 *
 * @example
 * ```ts
 * import { compileFilter, firstRefused, noNewPrivs, type SeccompProfile } from '@ctr/security';
 * const profile: SeccompProfile = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['read', 'exit_group'], action: 'SCMP_ACT_ALLOW' }] };
 * const refused = firstRefused(compileFilter(profile), noNewPrivs());
 * console.log(refused?.step.call, refused?.verdict.action); // prctl SCMP_ACT_ERRNO
 * ```
 */
export function firstRefused(filter: SeccompFilter, steps: Plan): RefusedStep | undefined {
  const program = decode(filter.instructions);
  const numbers = syscallNumbers(filter.arch);
  for (const [index, step] of steps.entries()) {
    const number = numbers.get(step.call);
    // Not a call: a sum, a label, a failure.
    if (number === undefined) continue;
    const values = outcomes(program, (word) => wordOf(word, number, step.args, filter));
    const best = [...values].reduce((a, b) => (isLooser(b, a) ? b : a));
    const verdict = verdictOf(best);
    if (!letsThrough(best) && !isTolerated(step, verdict)) return { step, index, verdict };
  }
  return undefined;
}

function wordOf(word: number, number: number, args: readonly Arg[], { arch }: SeccompFilter): number | undefined {
  const offset = word * 4;
  if (offset === dataOffsets.nr) return number;
  if (offset === dataOffsets.arch) return auditArchOf[arch];
  if (offset < dataOffsets.args) return undefined;
  const arg = args[(offset - dataOffsets.args) >> 3] ?? 0;
  if (typeof arg !== 'number' && typeof arg !== 'bigint') return undefined;
  const whole = BigInt.asUintN(64, BigInt(arg));
  return Number(offset & 4 ? whole >> 32n : whole & 0xffffffffn);
}

function isTolerated({ tolerates }: Step, { action, data }: SeccompVerdict): boolean {
  return action === 'SCMP_ACT_ERRNO' && (tolerates === 'any' || tolerates?.includes(errnoName(data)) === true);
}
