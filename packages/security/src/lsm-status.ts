import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Which security modules the kernel has at work. */
export interface LsmStatus {
  /** Their names, in the order in which they are asked. `undefined` where securityfs is not mounted, so that nobody can say. */
  readonly modules: readonly string[] | undefined;
  readonly appArmor: 'enabled' | 'disabled';
  readonly selinux: 'enforcing' | 'permissive' | 'disabled';
}

/**
 * Says which security modules are at work here. Acts: reads sysfs, and what is mounted in it: securityfs and selinuxfs.
 * What cannot be read is not there: in a container that hides them, both are `disabled`, and no profile or label could be checked or set.
 *
 * @param sysfs - where sysfs is mounted
 * @see lsm(7)
 * @example
 * ```ts
 * import { lsmStatus } from '@ctr/security';
 * const { appArmor, selinux } = lsmStatus();
 * console.log(`AppArmor is ${appArmor}, SELinux is ${selinux}`);
 * ```
 */
export function lsmStatus(sysfs = '/sys'): LsmStatus {
  const read = (file: string): string | undefined => {
    try {
      return readFileSync(join(sysfs, file), 'latin1').trim();
    } catch {
      return undefined;
    }
  };
  const modes: Readonly<Record<string, LsmStatus['selinux']>> = { '0': 'permissive', '1': 'enforcing' };
  return {
    modules: read('kernel/security/lsm')?.split(','),
    appArmor: read('module/apparmor/parameters/enabled') === 'Y' ? 'enabled' : 'disabled',
    selinux: modes[read('fs/selinux/enforce') ?? ''] ?? 'disabled',
  };
}

/** What stands behind "is asked for, but". */
export function modulesHere({ modules }: LsmStatus): string {
  return modules ? `the modules at work here are ${modules.join(', ')}` : 'securityfs, which lists the modules at work, is not mounted here';
}
