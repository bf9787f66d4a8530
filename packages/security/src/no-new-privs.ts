import { prctlOptions, type Step } from '@ctr/syscall';

/**
 * From here on no execve(2) gives rights that the process does not have: set-user-id bits and file capabilities have no effect, for it and all that come of it.
 * It cannot be undone, and it is what lets a process without CAP_SYS_ADMIN load a seccomp filter or a Landlock ruleset.
 *
 * @see PR_SET_NO_NEW_PRIVS(2const)
 * @example
 * ```ts
 * import { noNewPrivs } from '@ctr/security';
 * import { explain } from '@ctr/syscall';
 * console.log(explain(noNewPrivs()));
 * // 1  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # no program brings new rights with it
 * ```
 */
export function noNewPrivs(): Step[] {
  return [{ call: 'prctl', args: [prctlOptions.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0], purpose: 'no program brings new rights with it' }];
}
