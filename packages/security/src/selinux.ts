import { checkOptions, quote, type Step } from '@ctr/syscall';

import type { LsmOptions } from './apparmor.js';
import { lsmStatus, modulesHere } from './lsm-status.js';
import { writeOwnFile } from './proc.js';

/** A page, which is the most that the file takes at once. */
const MAX_BYTES = 4095;

/**
 * The SELinux label that the process has from the next execve(2) on: `system_u:system_r:container_t:s0:c1,c2`.
 *
 * Throws an `Error` if SELinux is not at work: a label that is asked for is never dropped in silence. Throws a `RangeError` for what is no label.
 * The steps fail with EINVAL for a label that the policy does not know, with EACCES if it does not allow the change.
 *
 * @see setexeccon(3)
 * @example
 * ```ts
 * import { lsmStatus, selinuxLabel } from '@ctr/security';
 * import { openFd } from '@ctr/syscall';
 * using proc = openFd('/proc', { directory: true });
 * const steps = lsmStatus().selinux === 'disabled' ? [] : selinuxLabel('system_u:system_r:container_t:s0', { proc });
 * ```
 */
export function selinuxLabel(label: string, options: LsmOptions): Step[] {
  return writeLabel('exec', label, options, `have the SELinux label ${quote(label)} from execve on`);
}

/**
 * The SELinux label of keys and keyrings that the process makes until the next execve(2): the program's own, so that it may use the keyring that is made for it.
 * Stands before `newSessionKeyring`. Throws and fails as {@link selinuxLabel} does.
 *
 * @see setkeycreatecon(3)
 * @example
 * ```ts
 * import { lsmStatus, newSessionKeyring, selinuxKeyLabel } from '@ctr/security';
 * import { openFd } from '@ctr/syscall';
 * using proc = openFd('/proc', { directory: true });
 * const isThere = lsmStatus().selinux !== 'disabled';
 * const steps = [...(isThere ? selinuxKeyLabel('system_u:system_r:container_t:s0', { proc }) : []), ...newSessionKeyring()];
 * ```
 */
export function selinuxKeyLabel(label: string, options: LsmOptions): Step[] {
  return writeLabel('keycreate', label, options, `make keys with the SELinux label ${quote(label)}`);
}

function writeLabel(file: string, label: string, options: LsmOptions, purpose: string): Step[] {
  checkOptions('selinuxLabel', options, ['proc', 'lsm']);
  if (Buffer.byteLength(label) > MAX_BYTES || !/^[^:\s\p{Cc}]+:[^:\s\p{Cc}]+:[^:\s\p{Cc}]+(:[^\s\p{Cc}]+)?$/u.test(label))
    throw new RangeError(`${quote(label)} is not an SELinux label: it has to be user:role:type or user:role:type:level`);
  const { proc, lsm = lsmStatus() } = options;
  if (lsm.selinux === 'disabled')
    throw new Error(`the SELinux label ${quote(label)} is asked for, but SELinux is not at work (there is no /sys/fs/selinux/enforce): ${modulesHere(lsm)}`);
  return writeOwnFile(proc, `attr/${file}`, label, purpose, {
    EINVAL: `the SELinux policy does not know the label ${quote(label)}, or SELinux is not at work in this kernel`,
    EACCES: `the SELinux policy does not allow this process to have ${quote(label)}`,
  });
}
