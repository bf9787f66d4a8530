import { readFileSync } from 'node:fs';

import type { ErrnoName } from './abi/errno.js';

const namespaceCalls = new Set(['clone', 'clone3', 'unshare', 'setns']);
const mountCalls = new Set(['mount', 'fsopen', 'fsconfig', 'fsmount', 'open_tree', 'move_mount', 'mount_setattr', 'pivot_root', 'umount2']);

/** One sentence on why a call probably failed and what to do about it, where that is known. */
export function hintFor(call: string, code: ErrnoName): string | undefined {
  if (code === 'ENOSYS') return `the kernel, or a seccomp filter around this process (a container's default profile, for instance), does not offer ${call}`;
  if (code === 'EPERM' && namespaceCalls.has(call))
    return (
      restrictedUserNamespaces() ?? confined() ?? 'a namespace other than a user namespace needs CAP_SYS_ADMIN: run as root, or create a user namespace first'
    );
  if ((code === 'ENOSPC' || code === 'EUSERS') && namespaceCalls.has(call))
    return switchedOff() ?? 'a limit on namespaces is reached: see the sysctls user.max_*_namespaces, and namespaces nest at most 32 deep';
  if (code === 'EPERM' && mountCalls.has(call))
    return (
      (call === 'fsmount' ? coveredProc() : undefined) ??
      restrictedUserNamespaces() ??
      confined() ??
      'mounting needs CAP_SYS_ADMIN in the user namespace that owns the mount namespace (and a fresh proc or sysfs needs one that nothing is mounted over)'
    );
  if (code === 'EACCES' && mountCalls.has(call)) return restrictedUserNamespaces();
  if (call === 'bpf' && code === 'EPERM')
    return 'BPF programs for control groups need CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN, in the first user namespace: run as root outside of containers';
  if (code === 'EMFILE') return 'the limit on open files of this process is reached: see ulimit -n';
  if (code === 'ENFILE') return "the system's limit on open files is reached: see the sysctl fs.file-max";
  if (code === 'EAGAIN' && (call === 'clone' || call === 'clone3'))
    return 'a limit on processes is reached: see ulimit -u and the pids.max of the cgroups above';
  if (code === 'E2BIG' && call === 'execve')
    return 'the arguments and the environment together are larger than the kernel takes (a quarter of ulimit -s, and 128 KiB for one string)';
  return undefined;
}

/** Switched off for all: a limit of none. */
function switchedOff(): string | undefined {
  return read('/proc/sys/user/max_user_namespaces') === '0'
    ? 'user namespaces are switched off here: sysctl user.max_user_namespaces=15000 (as root) allows them'
    : undefined;
}

/** The switch by which a distribution forbids user namespaces to ordinary users, or what they are for, if one is set here. */
function restrictedUserNamespaces(): string | undefined {
  const off = switchedOff();
  if (off !== undefined || process.geteuid?.() === 0) return off;
  if (read('/proc/sys/kernel/unprivileged_userns_clone') === '0')
    return 'Debian forbids user namespaces to ordinary users here: sysctl kernel.unprivileged_userns_clone=1 (as root) allows them';
  if (read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1')
    return 'Ubuntu restricts user namespaces by AppArmor here: sysctl kernel.apparmor_restrict_unprivileged_userns=0 (as root), or an AppArmor profile with "userns," for this program';
  return undefined;
}

/** linux/capability.h */
const CAP_SYS_ADMIN = 21n;

/** What this process itself is in: a container whose root is none, a chroot, a filter. */
function confined(): string | undefined {
  const status = read('/proc/self/status') ?? '';
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  if (process.geteuid?.() === 0 && ((effective >> CAP_SYS_ADMIN) & 1n) === 0n)
    return 'this root does not have CAP_SYS_ADMIN, as in most containers: start that with it (docker, podman: --cap-add SYS_ADMIN, or --privileged), or run as an ordinary user where that may make user namespaces';
  if (mountPoints().every(({ at }) => at !== '/'))
    return 'this process is in a chroot, where the kernel makes no user namespaces: leave it, or use a mount namespace and pivot_root';
  if (/^Seccomp:\s*2$/m.test(status))
    return 'a seccomp filter is around this process, as in most containers, and may be what refuses it (docker, podman: --security-opt seccomp=unconfined)';
  return undefined;
}

/**
 * The kernel gives a user namespace no fresh proc that shows more than the one that is there.
 *
 * @see mount_namespaces(7), and mount_too_revealing() of the kernel
 */
function coveredProc(): string | undefined {
  const mounts = mountPoints();
  // What is mounted on a directory that is always empty hides nothing.
  const covers = mounts.map(({ at }) => at).filter((at) => at.startsWith('/proc/') && at !== '/proc/sys/fs/binfmt_misc');
  const proc = mounts.findLast(({ at }) => at === '/proc');
  const why =
    covers.length > 0
      ? `parts of /proc are mounted over, as in most containers (${covers.slice(0, 3).join(', ')}${covers.length > 3 ? ', …' : ''})`
      : proc?.options.split(',').includes('ro')
        ? '/proc is mounted read-only'
        : undefined;
  return (
    why &&
    `${why}, and the kernel then gives a user namespace no fresh proc: start the container around it with all of /proc (docker: --privileged; podman and ctr: --security-opt unmask=ALL), or share its process ids, whose /proc is there already (ctr: --pid host)`
  );
}

/** 36 35 98:0 / /mnt rw,noatime …: (5) where, (6) options of the mount. */
function mountPoints(): { at: string; options: string }[] {
  const lines = read('/proc/self/mountinfo')?.split('\n') ?? [];
  return lines.map((line) => {
    const [, , , , at = '', options = ''] = line.split(' ');
    return { at, options };
  });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return undefined;
  }
}
