import { usualMounts, usualNamespaces, withMounts, type Bundle } from '../bundle.js';

const MiB = 2 ** 20;
const engine = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_NET_BIND_SERVICE',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];

export const mixtureBundles: readonly Bundle[] = [
  {
    name: 'as an engine makes it',
    changes: ({ plain, bundle }) => ({
      root: { path: 'rootfs', readonly: false },
      hostname: '0123456789ab',
      ...withMounts(
        { destination: '/etc/hostname', type: 'bind', source: `${plain}/file`, options: ['rbind', 'rprivate'] },
        { destination: '/etc/hosts', type: 'bind', source: `${plain}/file`, options: ['bind', 'rprivate', 'nosuid', 'nodev'] },
        { destination: '/data', type: 'bind', source: `${bundle}/tree`, options: ['rbind', 'rslave', 'ro'] },
        { destination: '/run', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'tmpcopyup', 'mode=755'] },
      ),
      process: {
        user: { uid: 1000, gid: 1000, additionalGids: [1000, 27], umask: 0o22 },
        cwd: '/home/user',
        env: ['PATH=/usr/bin:/bin', 'HOSTNAME=0123456789ab', 'container=ctr'],
        capabilities: { bounding: engine, effective: [], permitted: [], inheritable: [] },
        noNewPrivileges: false,
        oomScoreAdj: 100,
        rlimits: [
          { type: 'RLIMIT_NOFILE', soft: 1024, hard: 2048 },
          { type: 'RLIMIT_NPROC', soft: 1000, hard: 1000 },
        ],
      },
      linux: {
        resources: {
          devices: [{ allow: false, access: 'rwm' }],
          memory: { limit: 128 * MiB, swap: 128 * MiB },
          cpu: { shares: 256, quota: 150_000, period: 100_000 },
          pids: { limit: 2048 },
        },
        sysctl: { 'net.ipv4.ping_group_range': '0 0', 'net.ipv4.ip_unprivileged_port_start': '0' },
        seccomp: {
          defaultAction: 'SCMP_ACT_ERRNO',
          defaultErrnoRet: 38,
          architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_AARCH64'],
          syscalls: [
            {
              names: (
                'access arch_prctl brk capget capset chdir clone clone3 close close_range dup dup2 dup3 execve execveat exit exit_group faccessat faccessat2 fadvise64 fchdir fchmod ' +
                'fchmodat fchown fchownat fcntl fstat fstatfs futex getcwd getdents64 getegid geteuid getgid getgroups getpgrp getpid getppid getrandom getrlimit getuid ioctl ioprio_get kill ' +
                'lseek lstat madvise mmap mprotect mremap munmap nanosleep newfstatat open openat openat2 pipe pipe2 poll ppoll prctl pread64 prlimit64 pwrite64 read readlink readlinkat readv ' +
                'rseq rt_sigaction rt_sigprocmask rt_sigreturn rt_sigsuspend sched_getaffinity sched_getparam sched_getscheduler sched_yield seccomp select sendfile set_robust_list ' +
                'set_tid_address setgid setgroups setpgid setresgid setresuid setsid setuid sigaltstack socket splice stat statfs statx sysinfo tgkill umask uname unlink unlinkat utimensat ' +
                'vfork wait4 waitid write writev'
              ).split(' '),
              action: 'SCMP_ACT_ALLOW',
            },
          ],
        },
      },
    }),
    look: 'echo "mkdir $(mkdir /run/x 2>&1)"; echo "data $(ls /data/sub)"',
  },
  {
    name: 'with all rights',
    changes: {
      root: { path: 'rootfs' },
      mounts: usualMounts.map(({ options = [], ...mount }) => ({ ...mount, options: options.filter((option) => option !== 'ro') })),
      process: {
        noNewPrivileges: false,
        capabilities: Object.fromEntries(
          ['bounding', 'effective', 'permitted'].map((set) => [set, [...engine, 'CAP_SYS_ADMIN', 'CAP_NET_ADMIN', 'CAP_MKNOD']]),
        ),
      },
      linux: { maskedPaths: [], readonlyPaths: [], resources: { devices: [{ allow: true, access: 'rwm' }] } },
    },
    look: 'echo "mount $(mount -t tmpfs x /mnt 2>&1; echo $?)"; echo "device $(mknod /dev/shm/m c 1 11 2>&1; echo $?)"; echo "forward $(echo 1 > /proc/sys/net/ipv4/ip_forward; echo $?)"',
  },
  {
    name: 'in a user namespace with mounts, devices and limits',
    before: 'chown -R 100000:100000 rootfs',
    changes: ({ plain }) => ({
      ...withMounts(
        { destination: '/mnt', source: plain, options: ['bind', 'ro', 'nosuid', 'nodev'] },
        { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['size=1m'] },
      ),
      process: { user: { uid: 1000, gid: 1000 }, rlimits: [{ type: 'RLIMIT_NOFILE', soft: 64, hard: 64 }], oomScoreAdj: 200 },
      linux: {
        namespaces: [...usualNamespaces, { type: 'user' }],
        uidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
        gidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
        devices: [{ type: 'c', path: '/dev/fuse', major: 10, minor: 229, fileMode: 0o666 }],
        resources: { pids: { limit: 50 }, memory: { limit: 64 * MiB } },
        sysctl: { 'net.ipv4.ip_forward': '1' },
      },
    }),
    look: 'echo "forward $(cat /proc/sys/net/ipv4/ip_forward)"; echo "file $(stat -c %u:%g /mnt/file)"',
  },
  {
    name: 'a terminal, a user, a filter and limits',
    terminal: true,
    changes: {
      process: { terminal: true, user: { uid: 1000, gid: 1000, umask: 0o27 }, noNewPrivileges: true, rlimits: [{ type: 'RLIMIT_CORE', soft: 0, hard: 0 }] },
      linux: { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['ptrace', 'mount'], action: 'SCMP_ACT_ERRNO' }] } },
    },
    look: 'echo "tty $(tty)"; echo "write $(echo x > /dev/console && echo yes)"',
  },
];
