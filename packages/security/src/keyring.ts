import { keyctlOperations, type Step } from '@ctr/syscall';

/**
 * A new, empty session keyring: keys of the caller's session can neither be found nor asked for from here on. It stands before a change of user.
 *
 * It has no name of its own: a named keyring that exists already is joined rather than made, and would be shared with whoever made it.
 *
 * ENOSYS and EPERM are no failure. The kernel says ENOSYS where it has no keys. Otherwise either comes from a seccomp filter around the process (a container's
 * default profile, for instance), which is around the program as well: it cannot ask for keys at all.
 * EDQUOT is a failure: the program would have the caller's keyring.
 *
 * @see keyctl_join_session_keyring(3), session-keyring(7)
 * @example
 * ```ts
 * import { newSessionKeyring } from '@ctr/security';
 * import { explain } from '@ctr/syscall';
 * console.log(explain(newSessionKeyring()));
 * // 1  keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) (ENOSYS, EPERM is fine)  # a session keyring of its own
 * ```
 */
export function newSessionKeyring(): Step[] {
  return [
    {
      call: 'keyctl',
      args: [keyctlOperations.KEYCTL_JOIN_SESSION_KEYRING, null, 0, 0, 0],
      purpose: 'a session keyring of its own',
      tolerates: ['ENOSYS', 'EPERM'],
      hints: {
        EDQUOT: 'the user has used up its quota of keys: see /proc/key-users, and the sysctls kernel.keys.maxkeys and kernel.keys.maxbytes',
        EACCES: 'a security module does not allow it',
      },
    },
  ];
}
