import { isRoot, type Finding, type Section } from './check.js';
import { readSetting } from './kernel.js';

/** linux/capability.h, from 0 on */
const names = [
  'CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP', 'LINUX_IMMUTABLE', 'NET_BIND_SERVICE',
  'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW', 'IPC_LOCK', 'IPC_OWNER', 'SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT', 'SYS_PTRACE', 'SYS_PACCT', 'SYS_ADMIN',
  'SYS_BOOT', 'SYS_NICE', 'SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD', 'LEASE', 'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP', 'MAC_OVERRIDE',
  'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF', 'CHECKPOINT_RESTORE',
] as const; // oxfmt-ignore

/** What `ctr run` uses as root: namespaces and mounts, device files, the loopback device, another user. */
const neededByRoot: readonly string[] = ['SYS_ADMIN', 'MKNOD', 'NET_ADMIN', 'SETUID', 'SETGID'];

/** What the caller may do. */
export function capabilities(): Section {
  const status = readSetting('/proc/self/status') ?? '';
  const effective = decode(maskOf(status, 'CapEff'));
  const bounding = decode(maskOf(status, 'CapBnd'));
  return { title: 'Capabilities', findings: [isRoot() ? ofRoot(effective) : ofUser(effective), boundaries(bounding)] };
}

function maskOf(status: string, set: string): bigint {
  return BigInt(`0x${new RegExp(`^${set}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`);
}

/** The names of the bits that are set. */
export function decode(mask: bigint): string[] {
  return names.filter((_, bit) => mask & (1n << BigInt(bit)));
}

function ofRoot(effective: readonly string[]): Finding {
  const missing = neededByRoot.filter((name) => !effective.includes(name));
  return {
    what: 'effective',
    ok: missing.length === 0,
    needed: true,
    found: list(effective),
    ...(missing.length > 0 && {
      advice: `CAP_${missing.join(', CAP_')} missing: this root is confined (docker, podman: --cap-add ${missing.join(' --cap-add ')}), or run ctr as another user`,
    }),
  };
}

function ofUser(effective: readonly string[]): Finding {
  return { what: 'effective', ok: true, needed: false, found: effective.length === 0 ? 'none, and none are needed in a user namespace' : list(effective) };
}

/** What no program can have here, whoever starts it. */
function boundaries(bounding: readonly string[]): Finding {
  return { what: 'bounding', ok: true, needed: false, found: list(bounding) };
}

function list(held: readonly string[]): string {
  const missing = names.filter((name) => !held.includes(name));
  if (missing.length === 0) return 'all';
  return missing.length < held.length ? `all but ${missing.join(', ')}` : held.join(', ') || 'none';
}
