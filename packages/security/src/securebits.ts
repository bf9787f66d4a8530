import { prctlOptions, secureBitFlags, type Step } from '@ctr/syscall';

import { checkWord } from './check.js';

/** A switch of what user id 0 means to the kernel, or the lock of one, by the kernel's name: `SECBIT_NOROOT`. */
export type SecureBit = keyof typeof secureBitFlags;

/**
 * Sets the secure bits, all of them: one that is not named is cleared. A bit whose lock is set stays as it is, for the process and all that come of it.
 * SECBIT_NOROOT makes user id 0 an ordinary user at execve(2), SECBIT_NO_SETUID_FIXUP leaves capabilities alone when ids change.
 *
 * Fails with EPERM without CAP_SETPCAP, or for a bit that is locked. Throws a `RangeError` for a name that is none.
 *
 * @see PR_SET_SECUREBITS(2const), capabilities(7)
 * @example Being root is worth nothing from here on
 * ```ts
 * import { secureBits } from '@ctr/security';
 * const steps = secureBits(['SECBIT_NOROOT', 'SECBIT_NOROOT_LOCKED', 'SECBIT_NO_SETUID_FIXUP', 'SECBIT_NO_SETUID_FIXUP_LOCKED']);
 * ```
 */
export function secureBits(bits: readonly SecureBit[]): Step[] {
  for (const bit of bits) checkWord('there is no secure bit', bit, secureBitFlags);
  const flags = bits.reduce((sum, bit) => sum | secureBitFlags[bit], 0);
  const hints = { EPERM: 'this needs CAP_SETPCAP, and a bit that is locked stays as it is' };
  return [{ call: 'prctl', args: [prctlOptions.PR_SET_SECUREBITS, flags], purpose: 'what being root means', hints }];
}
