import { prctlOptions, type Step } from '@ctr/syscall';

/**
 * Whether processes of the same user may look into this one: by ptrace(2), by its files in /proc, by a core dump. The next execve(2) allows it again.
 * A process that is to join a container is undumpable before it does, so that nothing in there can get at what it has open.
 *
 * @see PR_SET_DUMPABLE(2const)
 * @example
 * ```ts
 * import { dumpable } from '@ctr/security';
 * import { explain } from '@ctr/syscall';
 * console.log(explain(dumpable(false)));
 * // 1  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # nobody looks into it but root
 * ```
 */
export function dumpable(allowed: boolean): Step[] {
  const purpose = allowed ? 'its user may look into it' : 'nobody looks into it but root';
  return [{ call: 'prctl', args: [prctlOptions.PR_SET_DUMPABLE, allowed ? 1 : 0, 0, 0, 0], purpose }];
}
