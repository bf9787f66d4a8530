import { call, errnoName, landlockCreateFlags, type Step } from '@ctr/syscall';

/**
 * Asks the kernel which version of Landlock it offers: 0 if none, and then {@link landlockUnavailable} says why. What each version has come with is in landlock(7).
 *
 * @see landlock_create_ruleset(2): LANDLOCK_CREATE_RULESET_VERSION
 * @example
 * ```ts
 * import { landlockAbi } from '@ctr/security';
 * if (landlockAbi() < 4) console.log('Landlock cannot restrict TCP here');
 * ```
 */
export function landlockAbi(): number {
  return Math.max(0, call(version()));
}

/**
 * Why the kernel offers no Landlock, in a sentence; `undefined` if it does.
 *
 * @example
 * ```ts
 * import { landlockUnavailable } from '@ctr/security';
 * console.log(landlockUnavailable() ?? 'Landlock is there');
 * ```
 */
export function landlockUnavailable(): string | undefined {
  const result = call(version());
  return result >= 0 ? undefined : reasonOf(errnoName(-result));
}

/** What an error of landlock_create_ruleset(2) says about Landlock as a whole. */
export const unavailable = {
  ENOSYS: 'the kernel is built without Landlock (CONFIG_SECURITY_LANDLOCK), is older than 5.13, or a seccomp filter around this process hides it',
  EOPNOTSUPP: 'Landlock is built into the kernel, but not switched on: add landlock to the list of lsm= on its command line',
};

function version(): Step {
  return {
    call: 'landlock_create_ruleset',
    args: [null, 0, landlockCreateFlags.LANDLOCK_CREATE_RULESET_VERSION],
    purpose: 'which Landlock is there?',
    tolerates: 'any',
  };
}

function reasonOf(code: string): string {
  return code === 'ENOSYS' || code === 'EOPNOTSUPP' ? unavailable[code] : `the kernel does not say which Landlock it offers: ${code}`;
}
