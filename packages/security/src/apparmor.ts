import { checkOptions, quote, type Step } from '@ctr/syscall';

import { lsmStatus, modulesHere, type LsmStatus } from './lsm-status.js';
import { writeOwnFile, type Proc } from './proc.js';

/** How a profile or a label is handed over. */
export interface LsmOptions {
  /** The proc to write it to. */
  readonly proc: Proc;
  /** The machine that the steps are for. @default `lsmStatus()`: this one */
  readonly lsm?: LsmStatus;
}

/** A page, which is the most that the file takes at once, without "exec " before the name and the NUL behind it. */
const MAX_BYTES = 4096 - 6;

/**
 * The AppArmor profile that holds from the next execve(2) on. It has to be loaded already.
 *
 * Throws an `Error` if AppArmor is not at work: a profile that is asked for is never dropped in silence. Throws a `RangeError` for what is no name.
 * The steps fail with ENOENT if no profile of that name is loaded, with EACCES if the present one does not allow the change.
 *
 * @see apparmor(7), aa_change_onexec(3)
 * @example
 * ```ts
 * import { appArmorProfile, lsmStatus } from '@ctr/security';
 * import { openFd } from '@ctr/syscall';
 * using proc = openFd('/proc', { directory: true });
 * const steps = lsmStatus().appArmor === 'enabled' ? appArmorProfile('docker-default', { proc }) : [];
 * ```
 */
export function appArmorProfile(name: string, options: LsmOptions): Step[] {
  checkOptions('appArmorProfile', options, ['proc', 'lsm']);
  const bytes = Buffer.byteLength(name);
  if (bytes < 1 || bytes > MAX_BYTES || /\p{Cc}/u.test(name))
    throw new RangeError(`${quote(name)} is not the name of an AppArmor profile: it has 1 to ${MAX_BYTES} bytes and no control character`);
  const { proc, lsm = lsmStatus() } = options;
  if (lsm.appArmor === 'disabled')
    throw new Error(
      `the AppArmor profile ${quote(name)} is asked for, but AppArmor is not at work (/sys/module/apparmor/parameters/enabled is not Y): ${modulesHere(lsm)}`,
    );
  return writeOwnFile(proc, 'attr/apparmor/exec', `exec ${name}`, `have the AppArmor profile ${quote(name)} from execve on`, {
    ENOENT: `no AppArmor profile ${quote(name)} is loaded, or this kernel has no AppArmor: aa-status lists those that are, apparmor_parser -r loads one`,
    EACCES: 'the AppArmor profile that this process has does not allow the change',
    EINVAL: 'AppArmor is not at work in this kernel',
  });
}
