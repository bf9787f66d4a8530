import { checkOptions } from '@ctr/syscall';

import type { Config } from './config/config.js';
import type { Mount } from './config/mount.js';
import type { LinuxNamespaceType } from './config/namespaces.js';
import { OCI_VERSION } from './version.js';

/** For whom the configuration is. */
export interface DefaultConfigOptions {
  /** For an ordinary user: with a user namespace, without limits and without a network namespace. @default false */
  readonly rootless?: boolean;
  /** With `rootless`: who is root in the container. @default the caller */
  readonly uid?: number;
  readonly gid?: number;
}

const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];
const kept = ['nosuid', 'noexec', 'nodev'];

/**
 * A configuration to begin with, as `runc spec` writes it: a shell at a terminal, in a read-only root file system `rootfs`, with few rights.
 * The runtime-spec names the file systems that a container should have; the rest is what the other runtimes have agreed on.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#default-filesystems
 * @example
 * ```ts
 * import { defaultConfig } from '@ctr/oci';
 * const config = { ...defaultConfig({ rootless: true, uid: 1000, gid: 1000 }), hostname: 'box' };
 * console.log(JSON.stringify(config, null, '\t'));
 * ```
 */
export function defaultConfig(options: DefaultConfigOptions = {}): Config {
  checkOptions('defaultConfig', options, ['rootless', 'uid', 'gid']);
  const { rootless = false, uid = process.geteuid?.() ?? 0, gid = process.getegid?.() ?? 0 } = options;
  for (const [name, id] of Object.entries({ uid, gid }))
    if (!Number.isInteger(id) || id < 0 || id > 2 ** 32 - 2) throw new RangeError(`defaultConfig: ${name} is ${id}: it has to be an id`);
  const namespaces: LinuxNamespaceType[] = rootless ? ['pid', 'ipc', 'uts', 'mount', 'cgroup', 'user'] : ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'];
  return {
    ociVersion: OCI_VERSION,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'ctr',
    mounts: mounts(rootless),
    linux: {
      ...(rootless
        ? { uidMappings: [{ containerID: 0, hostID: uid, size: 1 }], gidMappings: [{ containerID: 0, hostID: gid, size: 1 }] }
        : { resources: { devices: [{ allow: false, access: 'rwm' }] } }),
      namespaces: namespaces.map((type) => ({ type })),
      maskedPaths: [
        '/proc/acpi',
        '/proc/asound',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/timer_list',
        '/proc/timer_stats',
        '/proc/sched_debug',
        '/proc/scsi',
        '/sys/firmware',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}

function mounts(rootless: boolean): Mount[] {
  // A single id is mapped: no file can belong to the group tty.
  const terminals = ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', ...(rootless ? [] : ['gid=5'])];
  return [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: terminals },
    { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...kept, 'mode=1777', 'size=65536k'] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: kept },
    // Without a network namespace of its own a new sysfs is refused.
    rootless
      ? { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', ...kept, 'ro'] }
      : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...kept, 'ro'] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...kept, 'relatime', 'ro'] },
  ];
}
