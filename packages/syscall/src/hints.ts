import { readFileSync } from 'node:fs';

import type { ErrnoName } from './abi/errno.js';

const namespaceCalls = new Set(['clone', 'clone3', 'unshare', 'setns']);
const mountCalls = new Set(['mount', 'fsopen', 'fsconfig', 'fsmount', 'open_tree', 'move_mount', 'mount_setattr', 'pivot_root', 'umount2']);

/** One sentence on why a call probably failed and what to do about it, where that is known. */
export function hintFor(call: string, code: ErrnoName): string | undefined {
  if (code === 'ENOSYS') return `the kernel, or a seccomp filter around this process (a container's default profile, for instance), does not offer ${call}`;
  if (code === 'EPERM' && namespaceCalls.has(call))
    return restrictedUserNamespaces() ?? 'a namespace other than a user namespace needs CAP_SYS_ADMIN: run as root, or create a user namespace first';
  if ((code === 'ENOSPC' || code === 'EUSERS') && namespaceCalls.has(call))
    return 'a limit on namespaces is reached: see the sysctls user.max_*_namespaces, and namespaces nest at most 32 deep';
  if (code === 'EPERM' && mountCalls.has(call))
    return 'mounting needs CAP_SYS_ADMIN in the user namespace that owns the mount namespace (and a fresh proc or sysfs needs one that nothing is mounted over)';
  if (code === 'EACCES' && mountCalls.has(call)) return restrictedUserNamespaces();
  if (code === 'EMFILE') return 'the limit on open files of this process is reached: see ulimit -n';
  if (code === 'ENFILE') return "the system's limit on open files is reached: see the sysctl fs.file-max";
  if (code === 'EAGAIN' && (call === 'clone' || call === 'clone3'))
    return 'a limit on processes is reached: see ulimit -u and the pids.max of the cgroups above';
  if (code === 'E2BIG' && call === 'execve')
    return 'the arguments and the environment together are larger than the kernel takes (a quarter of ulimit -s, and 128 KiB for one string)';
  return undefined;
}

/** The switch by which a distribution forbids user namespaces to ordinary users, if one is set here. */
function restrictedUserNamespaces(): string | undefined {
  const sysctl = (name: string): string | undefined => {
    try {
      return readFileSync(`/proc/sys/${name}`, 'latin1').trim();
    } catch {
      return undefined;
    }
  };
  if (sysctl('user/max_user_namespaces') === '0') return 'user namespaces are switched off here: sysctl user.max_user_namespaces=15000 (as root) allows them';
  if (process.geteuid?.() === 0) return undefined;
  if (sysctl('kernel/unprivileged_userns_clone') === '0')
    return 'Debian forbids user namespaces to ordinary users here: sysctl kernel.unprivileged_userns_clone=1 (as root) allows them';
  if (sysctl('kernel/apparmor_restrict_unprivileged_userns') === '1')
    return 'Ubuntu restricts user namespaces by AppArmor here: sysctl kernel.apparmor_restrict_unprivileged_userns=0 (as root), or an AppArmor profile with "userns," for this program';
  return undefined;
}
