import { basename, dirname } from 'node:path';

import type { LinuxNamespaceType, LinuxResources, LinuxSeccomp } from '@ctr/oci';

import { usualNamespaces, withoutMount, withMount, type Bundle, type Changes, type Host } from '../bundle.js';

const MiB = 2 ** 20;
const files: Readonly<Record<string, string>> = { network: 'net', mount: 'mnt' };
const without = (type: LinuxNamespaceType, more: Changes = {}): Bundle => ({
  name: `no namespace of type ${type}${more.hostname === undefined ? '' : ', and no host name'}`,
  changes: { ...more, linux: { ...more.linux, namespaces: usualNamespaces.filter((each) => each.type !== type) } },
});
const joining = (type: LinuxNamespaceType, more: Changes = {}): Bundle => ({
  name: `namespace of type ${type} by its path`,
  changes: ({ pid }) => ({
    ...more,
    linux: { ...more.linux, namespaces: usualNamespaces.map((each) => (each.type === type ? { type, path: `/proc/${pid}/ns/${files[type] ?? type}` } : each)) },
  }),
});
const mapped = (size: number): Changes => ({
  linux: {
    namespaces: [...usualNamespaces, { type: 'user' }],
    uidMappings: [{ containerID: 0, hostID: 100_000, size }],
    gidMappings: [{ containerID: 0, hostID: 200_000, size }],
  },
});

export const namespaceBundles: readonly Bundle[] = [
  without('network', { mounts: withMount({ destination: '/sys', type: 'bind', source: '/sys', options: ['rbind', 'ro'] }) }),
  without('ipc'),
  without('uts', { hostname: '' }),
  without('uts'),
  without('pid'),
  without('cgroup'),
  joining('network'),
  joining('ipc'),
  joining('uts'),
  joining('pid'),
  joining('cgroup'),
  {
    name: 'all namespaces of another, below its user namespace',
    changes: ({ pidOfOther }) => ({
      mounts: withoutMount('/sys/fs/cgroup'),
      linux: {
        namespaces: [
          { type: 'mount' },
          ...(['user', 'network', 'ipc', 'uts', 'pid'] as const).map((type) => ({ type, path: `/proc/${pidOfOther}/ns/${files[type] ?? type}` })),
        ],
      },
    }),
  },
  { name: 'a namespace twice', changes: { linux: { namespaces: [...usualNamespaces, { type: 'uts' }] } } },
  {
    name: 'a namespace by a path that is none',
    changes: { linux: { namespaces: usualNamespaces.map((each) => (each.type === 'uts' ? { ...each, path: '/etc/passwd' } : each)) } },
  },
  {
    name: 'a namespace by the path of another kind',
    changes: ({ pid }: Host) => ({
      linux: { namespaces: usualNamespaces.map((each) => (each.type === 'uts' ? { ...each, path: `/proc/${pid}/ns/net` } : each)) },
    }),
  },
  { name: 'a user namespace', changes: mapped(65_536), before: 'chown -R 100000:200000 rootfs' },
  {
    name: 'a user namespace, as a user in it',
    changes: { ...mapped(65_536), process: { user: { uid: 1000, gid: 1000, additionalGids: [5] } } },
    before: 'chown -R 100000:200000 rootfs',
  },
  {
    name: 'a user namespace of ranges',
    changes: {
      linux: {
        namespaces: [...usualNamespaces, { type: 'user' }],
        uidMappings: [
          { containerID: 0, hostID: 100_000, size: 1 },
          { containerID: 1000, hostID: 0, size: 1 },
        ],
        gidMappings: [{ containerID: 0, hostID: 0, size: 10 }],
      },
    },
  },
  { name: 'a user namespace without the user', changes: { ...mapped(10), process: { user: { uid: 1000, gid: 0 } } } },
  { name: 'hostname', changes: { hostname: 'another.example' } },
  { name: 'no hostname', changes: { hostname: '' } },
  { name: 'domainname', changes: { domainname: 'example.org' } },
];

const limited = (name: string, resources: LinuxResources, look?: string): Bundle => ({
  name: `resources ${name}`,
  changes: { linux: { resources } },
  ...(look !== undefined && { look }),
});
const opens =
  'for d in null zero full random urandom tty kmsg fuse mem; do [ -e /dev/$d ] || mknod /dev/$d c 1 11 2>/dev/null; echo "open-$d $(head -c0 /dev/$d 2>&1 && echo yes)"; done';

export const cgroupBundles: readonly Bundle[] = [
  limited('none', {}),
  limited('memory', { memory: { limit: 64 * MiB } }),
  limited('memory with swap and reservation', { memory: { limit: 64 * MiB, swap: 128 * MiB, reservation: 32 * MiB } }),
  limited('memory without bound', { memory: { limit: -1, swap: -1 } }),
  limited('memory swappiness', { memory: { limit: 64 * MiB, swappiness: 10 } }),
  limited('memory without the OOM killer', { memory: { limit: 64 * MiB, disableOOMKiller: true } }),
  limited('cpu', { cpu: { shares: 512, quota: 50_000, period: 100_000 } }),
  limited('cpu shares alone', { cpu: { shares: 2 } }),
  limited('cpu quota alone', { cpu: { quota: 20_000 } }),
  limited('cpu without bound', { cpu: { quota: -1 } }),
  limited('cpuset', { cpu: { cpus: '0', mems: '0' } }),
  limited('cpuset of a processor that is not there', { cpu: { cpus: '4000' } }),
  limited('pids', { pids: { limit: 33 } }),
  limited('pids without bound', { pids: { limit: -1 } }),
  limited('memory of the kernel', { memory: { kernel: 67_108_864 } }),
  limited('memory of the buffers of TCP', { memory: { kernelTCP: 67_108_864 } }),
  limited('devices none', { devices: [{ allow: false, access: 'rwm' }] }, opens),
  limited('devices all', { devices: [{ allow: true, access: 'rwm' }] }, opens),
  limited('devices allowed alone', { devices: [{ allow: true, type: 'c', major: 10, access: 'rwm' }] }, opens),
  limited('devices denied alone', { devices: [{ allow: false, type: 'c', major: 10, access: 'rwm' }] }, opens),
  limited(
    'devices some',
    {
      devices: [
        { allow: false, access: 'rwm' },
        { allow: true, type: 'c', major: 1, minor: 11, access: 'rm' },
        { allow: true, type: 'c', major: 10, access: 'rwm' },
      ],
    },
    opens,
  ),
  limited('hugepages of a size that is not there', { hugepageLimits: [{ pageSize: '7MB', limit: 0 }] }),
  limited('blockIO of a device that is not there', { blockIO: { throttleReadBpsDevice: [{ major: 250, minor: 99, rate: 1000 }] } }),
  { name: 'cgroupsPath none', changes: { linux: { cgroupsPath: '' } } },
  {
    name: 'cgroupsPath of several levels',
    changes: ({ cgroup }) => ({ linux: { cgroupsPath: `${dirname(cgroup)}/levels/one/${basename(cgroup)}` } }),
  },
];

const filter = (name: string, seccomp: LinuxSeccomp, look: string, process: Changes['process'] = {}): Bundle => ({
  name: `seccomp ${name}`,
  changes: { process, linux: { seccomp: { architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_AARCH64'], ...seccomp } } },
  look,
});
const makes = 'echo "mkdir $(mkdir /dev/shm/x 2>&1; echo $?)"';

export const seccompBundles: readonly Bundle[] = [
  filter('of errors', { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }] }, makes),
  filter(
    'of an error of its own',
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }] },
    makes,
  ),
  filter('with new privileges', { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }] }, makes, {
    noNewPrivileges: false,
  }),
  filter('of a process', { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_KILL_PROCESS' }] }, makes),
  filter('of a log', { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_LOG' }] }, makes),
  filter(
    'of arguments',
    {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO', args: [{ index: 1, value: 0o700, op: 'SCMP_CMP_EQ' }] }],
    },
    'echo "mkdir $(mkdir /dev/shm/x 2>&1; echo $?)"; echo "mode $(mkdir -m 700 /dev/shm/y 2>&1; echo $?)"',
  ),
  filter('of a call that is not known', { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['call_of_tomorrow'], action: 'SCMP_ACT_ERRNO' }] }, makes),
  filter('with flags', { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW'], syscalls: [] }, makes),
  filter('that forbids the program', { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['execve'], action: 'SCMP_ACT_ERRNO' }] }, makes),
];

export const linuxBundles: readonly Bundle[] = [
  {
    name: 'devices',
    changes: {
      linux: {
        devices: [
          { type: 'c', path: '/dev/fuse', major: 10, minor: 229, fileMode: 0o640, uid: 1000, gid: 5 },
          { type: 'b', path: '/dev/disk', major: 7, minor: 0 },
          { type: 'p', path: '/dev/pipe', fileMode: 0o600 },
          { type: 'u', path: '/dev/unbuffered', major: 1, minor: 3 },
          { type: 'c', path: '/dev/net/tun', major: 10, minor: 200, fileMode: 0o666 },
        ],
      },
    },
    look: 'echo "net $(stat -c "%F %a" /dev/net)"; echo "tun $(stat -c "%F %t,%T %a" /dev/net/tun)"',
  },
  {
    name: 'a device in place of a usual one',
    changes: { linux: { devices: [{ type: 'c', path: '/dev/zero', major: 1, minor: 5, fileMode: 0o600, uid: 7, gid: 8 }] } },
  },
  {
    name: 'devices right below the root, twice, and with a slash behind',
    changes: {
      root: { path: 'rootfs' },
      linux: {
        devices: [
          { type: 'c', path: '/null', major: 1, minor: 3 },
          { type: 'c', path: '/null', major: 1, minor: 5 },
          { type: 'c', path: '/zero/', major: 1, minor: 5 },
          { type: 'c', path: '/mnt', major: 1, minor: 3 },
          { type: 'c', path: '/dev/behind', major: 1, minor: 3 },
        ],
      },
    },
    look: 'for name in /null /zero /mnt /dev/behind; do echo "$name $(stat -c "%F %t,%T %a" $name)"; done',
  },
  {
    name: 'the multiplexer of terminals among the devices',
    changes: { linux: { devices: [{ type: 'c', path: '/dev/ptmx', major: 5, minor: 2 }] } },
    look: 'echo "ptmx $(readlink /dev/ptmx)"',
  },
  {
    name: 'the multiplexer of terminals among the devices, in a user namespace',
    changes: { ...mapped(65_536), linux: { ...mapped(65_536).linux, devices: [{ type: 'c', path: '/dev/ptmx', major: 5, minor: 2 }] } },
    look: 'echo "ptmx $(readlink /dev/ptmx)"',
  },
  {
    name: 'a device outside of /dev',
    changes: { root: { path: 'rootfs' }, linux: { devices: [{ type: 'c', path: '/made/null', major: 1, minor: 3 }] } },
    look: 'echo "null $(stat -c "%F %t,%T %a" /made/null)"',
  },
  {
    name: 'sysctl of the network',
    changes: { linux: { sysctl: { 'net.ipv4.ip_forward': '1', 'net.ipv4.conf.lo.forwarding': '1' } } },
    look: 'echo "forward $(cat /proc/sys/net/ipv4/ip_forward)"',
  },
  {
    name: 'sysctl of ipc',
    changes: { linux: { sysctl: { 'kernel.shmmax': '123456', 'fs.mqueue.msg_max': '20' } } },
    look: 'echo "shmmax $(cat /proc/sys/kernel/shmmax)"; echo "msg $(cat /proc/sys/fs/mqueue/msg_max)"',
  },
  { name: 'sysctl of the host', changes: { linux: { sysctl: { 'kernel.pid_max': '4194304' } } } },
  { name: 'sysctl that is not there', changes: { linux: { sysctl: { 'net.ipv4.no_such_setting': '1' } } } },
  { name: 'sysctl with slashes', changes: { linux: { sysctl: { 'net/ipv4/ip_forward': '1' } } }, look: 'echo "forward $(cat /proc/sys/net/ipv4/ip_forward)"' },
  {
    name: 'maskedPaths',
    changes: { linux: { maskedPaths: ['/etc', '/proc/uptime', '/no/such/path', '/link-to-mnt'] } },
    look: 'echo "etc $(ls /etc | wc -l)"; echo "write $(touch /etc/x 2>&1)"; echo "uptime $(cat /proc/uptime)"',
  },
  { name: 'no maskedPaths', changes: { linux: { maskedPaths: [] } }, look: 'echo "keys $([ -s /proc/keys ] && echo yes)"' },
  {
    name: 'readonlyPaths',
    changes: { root: { path: 'rootfs' }, linux: { readonlyPaths: ['/etc', '/tmp/file', '/no/such/path', '/dev/shm'] } },
    look: 'echo "etc $(touch /etc/x 2>&1)"; echo "shm $(touch /dev/shm/x 2>&1)"; echo "sys $(echo 1 > /proc/sys/net/ipv4/ip_forward 2>&1; echo $?)"',
  },
  { name: 'no readonlyPaths', changes: { linux: { readonlyPaths: [] } } },
  { name: 'personality', changes: { linux: { personality: { domain: 'LINUX32' } } } },
  { name: 'an annotation', changes: { annotations: { 'org.example.key': 'value' } } },
  { name: 'an older version', changes: { ociVersion: '1.0.0' } },
  { name: 'a field that is not known', changes: { unheardOf: { a: 1 } } as Changes },
  { name: 'a version to come', changes: { ociVersion: '2.0.0' } },
];
