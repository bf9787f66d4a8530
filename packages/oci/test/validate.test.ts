import { describe, expect, it } from 'vitest';

import {
  ConfigError,
  parseConfig,
  parseProcess,
  parseResources,
  problemText,
  validate,
  validateProcess,
  validateResources,
  type Config,
  type Problem,
} from '@ctr/oci';

const base: Config = {
  ociVersion: '1.2.0',
  root: { path: 'rootfs' },
  process: { cwd: '/', args: ['sh'] },
  linux: { namespaces: [{ type: 'mount' }, { type: 'uts' }, { type: 'pid' }, { type: 'network' }, { type: 'ipc' }] },
};
type Part = Record<string, unknown>;
const user = [{ type: 'mount' }, { type: 'user' }];
const ids = [{ containerID: 0, hostID: 1000, size: 10 }];
const texts = (value: unknown): string[] => validate(value).map((problem) => `${problem.severity}: ${problemText(problem)}`);
const whole = (part: Part): string[] => texts({ ...base, ...part });
const linux = (part: Part): string[] => whole({ linux: { ...base.linux, ...part } });
const process = (part: Part): string[] => whole({ process: { ...base.process, ...part } });
const resources = (part: Part): string[] => linux({ resources: part });
const mounts = (...all: unknown[]): string[] => whole({ mounts: all });
const seccomp = (part: Part): string[] => linux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', ...part } });
const long = 'x'.repeat(5000);

/** What a config has to say; nothing, if it is good. */
const cases: Record<string, readonly (readonly [said: string[], ...expected: string[]])[]> = {
  'the whole': [
    [texts(base)],
    [texts(null), 'error: the whole: null: an object'],
    [texts([]), 'error: the whole: an empty array: an object'],
    [texts('x'), 'error: the whole: "x": an object'],
    [
      texts({}),
      'error: ociVersion: missing: it has to be there: a version of the runtime-spec, such as 1.2.0',
      'error: root: missing: it has to be there: an object',
      'warning: process: missing: a container is created without it, but not started',
      'warning: linux.namespaces: missing: one of the type mount among them: no container is started without it',
    ],
    [whole({ ociVersion: '1.2' }), 'error: ociVersion: "1.2": a version, such as 1.2.0'],
    [whole({ ociVersion: '1.0.2-dev' })],
    [whole({ ociVersion: '2.0.0' }), 'error: ociVersion: "2.0.0": a version 1: no other is known'],
    [whole({ ociVersion: '1.9.0' }), 'warning: ociVersion: "1.9.0": a version after 1.3: what is new in it has no effect'],
    [whole({ ociVersion: '0.5.0' }), 'warning: ociVersion: "0.5.0": a version before 1.0: read as 1.0'],
    [whole({ root: { path: '' } }), 'error: root.path: "": a path, which is not empty'],
    [whole({ root: { path: 'a\0b' } }), 'error: root.path: "a\\u0000b": a string without NUL'],
    [whole({ root: { path: '\ud800' } }), 'error: root.path: "\\ud800": a string of whole characters'],
    [whole({ root: { path: long } }), `error: root.path: "${'x'.repeat(80)}…": a path of less than 4096 bytes`],
    [whole({ root: {} }), 'error: root.path: missing: it has to be there: a path'],
    [whole({ windows: {} })],
    [whole({ windows: 1 }), 'error: windows: 1: an object'],
  ],
  'what is not known': [
    [whole({ moutns: [] }), 'warning: moutns: an empty array: there is no such field, and it has no effect; did you mean mounts?'],
    [whole({ other: { deep: 1 } }), 'warning: other: an object: there is no such field, and it has no effect'],
    [whole({ Mounts: [] }), 'warning: Mounts: an empty array: there is no such field, and it has no effect here: runtimes in Go take it for mounts'],
    [
      whole(JSON.parse('{"__proto__":{"process":1},"constructor":2}') as Part),
      'warning: __proto__: an object: there is no such field, and it has no effect',
      'warning: constructor: 2: there is no such field, and it has no effect',
    ],
    [
      process({ args: null, env: null }),
      'warning: process.args: null: taken as if it were not there; otherwise an array',
      'warning: process.env: null: taken as if it were not there; otherwise an array',
      'error: process.args: missing: the program has to be there: an array of at least one',
    ],
    [process({ cwd: null }), 'error: process.cwd: null: an absolute path'],
  ],
  annotations: [
    [whole({ annotations: { 'com.example.a': '' } })],
    [whole({ annotations: { '': 'x' } }), 'error: annotations[""]: "": a string, which is not empty'],
    [whole({ annotations: { 'a.b': 1 } }), 'error: annotations["a.b"]: 1: a string'],
    [whole({ annotations: [] }), 'error: annotations: an empty array: an object'],
  ],
  names: [
    [whole({ hostname: 'box', domainname: 'example.test' })],
    [whole({ hostname: 'x'.repeat(65) }), `error: hostname: "${'x'.repeat(65)}": a name of up to 64 bytes, without control characters`],
    [whole({ hostname: 'a\nb' }), 'error: hostname: "a\\nb": a name of up to 64 bytes, without control characters'],
    [
      texts({ ...base, hostname: 'box', linux: { namespaces: [{ type: 'mount' }] } }),
      'error: hostname: "box": nothing without a uts namespace: it would be the name of the host',
    ],
  ],
  process: [
    [process({ cwd: 'a' }), 'error: process.cwd: "a": an absolute path'],
    [process({ args: [] }), 'error: process.args: an empty array: the program has to be there: an array of at least one'],
    [process({ args: [''] }), 'error: process.args[0]: "": the program: a string, which is not empty'],
    [process({ args: ['sh', 'x'.repeat(131_072)] }), `error: process.args[1]: "${'x'.repeat(80)}…": a string of less than 131072 bytes`],
    [process({ env: ['A'] }), 'warning: process.env[0]: "A": NAME=value: programs may not find it otherwise'],
    [process({ user: { uid: -1 } }), 'error: process.user.uid: -1: an integer from 0 to 4294967294'],
    [process({ user: { additionalGids: [4294967295] } }), 'error: process.user.additionalGids[0]: 4294967295: an integer from 0 to 4294967294'],
    [process({ user: { umask: 512 } }), 'error: process.user.umask: 512: an integer from 0 to 511'],
    [process({ user: { username: 'a' } }), 'warning: process.user.username: "a": of no effect on Linux: see uid'],
    [process({ commandLine: 'a' }), 'warning: process.commandLine: "a": of no effect on Linux: see args'],
    [process({ consoleSize: { height: 1, width: 1 } }), 'warning: process.consoleSize: an object: of no effect without a terminal'],
    [process({ terminal: true, consoleSize: { height: 65_536, width: 1 } }), 'error: process.consoleSize.height: 65536: an integer from 0 to 65535'],
    [process({ oomScoreAdj: 1001 }), 'error: process.oomScoreAdj: 1001: an integer from -1000 to 1000'],
    [
      process({ execCPUAffinity: { initial: '3-1' } }),
      'error: process.execCPUAffinity.initial: "3-1": numbers from 0 to 8191, and ranges of them, such as 0-3,7',
    ],
    [process({ apparmorProfile: 'a\nb' }), 'error: process.apparmorProfile: "a\\nb": a string without line breaks'],
  ],
  capabilities: [
    [
      process({ capabilities: { bounding: ['CAP_CHWON'] } }),
      'warning: process.capabilities.bounding[0]: "CAP_CHWON": there is no such capability, and it is passed over; did you mean CAP_CHOWN?',
    ],
    [
      process({ capabilities: { effective: ['CAP_KILL'] } }),
      'warning: process.capabilities.effective: "CAP_KILL": a capability that is permitted, too: otherwise it cannot be had',
    ],
  ],
  rlimits: [
    [process({ rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 18446744073709551615n }] })],
    [process({ rlimits: [{ type: 'RLIMIT_NOFILE', soft: 2, hard: 1 }] }), 'error: process.rlimits[0].soft: 2: no more than the hard limit, 1'],
    [
      process({ rlimits: ['a', 'b'].map(() => ({ type: 'RLIMIT_CPU', soft: 1, hard: 1 })) }),
      'error: process.rlimits[1].type: "RLIMIT_CPU": a resource that has no limit yet: each can have one',
    ],
    [
      process({ rlimits: [{ type: 'RLIMIT_NOFILES', soft: 1, hard: 1 }] }),
      'error: process.rlimits[0].type: "RLIMIT_NOFILES": one of RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS, RLIMIT_LOCKS, RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_RTPRIO, RLIMIT_RTTIME; did you mean RLIMIT_NOFILE?',
    ],
  ],
  scheduling: [
    [process({ scheduler: { policy: 'SCHED_FIFO', priority: 1 } })],
    [process({ scheduler: { policy: 'SCHED_FIFO' } }), 'error: process.scheduler.priority: 0: from 1 to 99 with SCHED_FIFO'],
    [
      process({ scheduler: { policy: 'SCHED_OTHER', priority: 5 } }),
      'error: process.scheduler.priority: 5: 0 with SCHED_OTHER: only SCHED_FIFO and SCHED_RR have one',
    ],
    [process({ scheduler: { policy: 'SCHED_OTHER', nice: 20 } }), 'error: process.scheduler.nice: 20: an integer from -20 to 19'],
    [process({ scheduler: { policy: 'SCHED_BATCH', runtime: 1 } }), 'error: process.scheduler.runtime: 1: 0 with SCHED_BATCH: only SCHED_DEADLINE has one'],
    [process({ scheduler: { policy: 'SCHED_DEADLINE' } }), 'error: process.scheduler.runtime: 0: from 1 to the deadline, 0'],
    [
      process({ scheduler: { policy: 'SCHED_DEADLINE', runtime: 1, deadline: 3, period: 2 } }),
      'error: process.scheduler.deadline: 3: no more than the period, 2',
    ],
    [process({ ioPriority: { class: 'IOPRIO_CLASS_RT', priority: 8 } }), 'error: process.ioPriority.priority: 8: an integer from 0 to 7'],
  ],
  mounts: [
    [mounts({ destination: '/a', source: '/b', options: ['bind', 'ro'] }, { destination: '/t', type: 'tmpfs' })],
    [mounts({ destination: 'a', type: 'tmpfs' }), 'warning: mounts[0].destination: "a": an absolute path; a relative one is deprecated, and begins at /'],
    [mounts({ destination: '/a', options: ['bind'] }), 'error: mounts[0].source: missing: a path on the host, for a bind mount'],
    [mounts({ destination: '/a' }), 'error: mounts[0].type: missing: a type of file system, or bind or rbind among the options'],
    [
      mounts({ destination: '/a', source: '/b', options: ['bind', 'size=1m', ''] }),
      'error: mounts[0].options[1]: "size=1m": an option of bind mounts: they take none of a file system',
      'warning: mounts[0].options[2]: "": an option: an empty one has no effect',
    ],
    [mounts({ destination: '/..', type: 'tmpfs' }), 'error: mounts[0].destination: "/..": a path other than /, which root.path is mounted at'],
    [mounts({ destination: '/proc/cpuinfo', source: '/a', options: ['bind'] })],
    [
      mounts({ destination: '/x/../proc/self/attr', source: '/a', options: ['bind'] }),
      'error: mounts[0].destination: "/x/../proc/self/attr": a path outside of /proc, or one of /proc/cpuinfo, /proc/diskstats, /proc/meminfo, /proc/stat, /proc/swaps, /proc/uptime, /proc/loadavg, /proc/slabinfo, /proc/sys/kernel/ns_last_pid, /proc/sys/crypto/fips_enabled',
    ],
    [mounts({ destination: '/proc/', type: 'tmpfs' }), 'error: mounts[0].destination: "/proc/": a path other than /proc, unless it is a proc'],
    [
      mounts({ destination: '/a', type: 'tmpfs' }, { destination: '/b/../a/', type: 'tmpfs' }),
      'warning: mounts[1].destination: "/b/../a/": a path that is free: this mount hides mounts[0]',
    ],
    [
      mounts({ destination: '/a', source: '/b', options: ['bind', 'idmap'] }),
      'error: mounts[0].uidMappings: missing: mappings of its own, as there is no user namespace to take them from',
    ],
    [
      mounts({ destination: '/a', source: '/b', options: ['bind', 'idmap'], uidMappings: ids }),
      'error: mounts[0].gidMappings: missing: both uidMappings and gidMappings, or neither',
    ],
    [
      mounts({ destination: '/a', source: '/b', options: ['bind'], uidMappings: ids, gidMappings: ids }),
      'warning: mounts[0].options: an array of 1: idmap or ridmap: without it, other runtimes pass over the mappings',
    ],
    [
      mounts({ destination: '/a', type: 'tmpfs', options: ['idmap'], uidMappings: ids, gidMappings: ids }),
      'error: mounts[0].options: an array of 1: bind or rbind: no other mount can have mapped ids',
    ],
    [whole({ linux: { namespaces: user, uidMappings: ids, gidMappings: ids }, mounts: [{ destination: '/a', source: '/b', options: ['bind', 'idmap'] }] })],
  ],
  hooks: [
    [whole({ hooks: { poststop: [{ path: '/a', timeout: 1 }] } })],
    [whole({ hooks: { poststop: [{ path: 'a' }] } }), 'error: hooks.poststop[0].path: "a": an absolute path'],
    [whole({ hooks: { poststop: [{ path: '/a', timeout: 0 }] } }), 'error: hooks.poststop[0].timeout: 0: an integer from 1 to 9007199254740991'],
    [whole({ hooks: { prestart: [] } }), 'warning: hooks.prestart: an empty array: deprecated: createRuntime, createContainer and startContainer say when'],
    [whole({ hooks: { postop: [] } }), 'warning: hooks.postop: an empty array: there is no such field, and it has no effect; did you mean poststop?'],
  ],
  namespaces: [
    [
      linux({ namespaces: [{ type: 'mount' }, { type: 'mount' }] }),
      'error: linux.namespaces[1].type: "mount": a kind that is not there yet: a container has one namespace of each',
    ],
    [
      linux({ namespaces: [{ type: 'mount' }, { type: 'net' }] }),
      'error: linux.namespaces[1].type: "net": one of mount, pid, network, uts, ipc, user, cgroup, time',
    ],
    [linux({ namespaces: [{ type: 'mount', path: 'a' }] }), 'error: linux.namespaces[0].path: "a": an absolute path'],
    [
      texts({ ...base, linux: { maskedPaths: ['/a'] } }),
      'error: linux.namespaces: missing: one of the type mount among them: the mounts would be the host’s otherwise',
    ],
    [linux({ timeOffsets: { boottime: { secs: 1 } } }), 'error: linux.timeOffsets: an object: nothing without a new time namespace'],
    [linux({ timeOffsets: { boottime: { nanosecs: 1e9 } } }), 'error: linux.timeOffsets.boottime.nanosecs: 1000000000: an integer from 0 to 999999999'],
    [
      texts({ ...base, linux: { namespaces: [{ type: 'mount' }], netDevices: { eth0: {} } } }),
      'error: linux.netDevices: an object: nothing without a network namespace',
    ],
    [linux({ netDevices: { 'a/b': {} } }), 'error: linux.netDevices["a/b"]: "a/b": the name of a network device: up to 15 bytes, without / : and white space'],
    [linux({ netDevices: { a: { name: 'c' }, b: { name: 'c' } } }), 'error: linux.netDevices.b.name: "c": a name that linux.netDevices.a does not get'],
    [linux({ netDevices: { a: { name: 'b' }, b: {} } }), 'error: linux.netDevices.b: "b": a name that linux.netDevices.a does not get'],
    [linux({ netDevices: { a: { name: 'eth%d' }, b: { name: 'eth%d' }, c: { name: '' } } })],
    ...['a%s', '%', 'e%d%d'].map((name): [string[], string] => [
      linux({ netDevices: { a: { name } } }),
      `error: linux.netDevices.a.name: "${name}": a name with at most one %d, and no other percent sign`,
    ]),
    ...['..', 'a:b', 'a b', 'sixteen-bytes-xy'].map((name): [string[], string] => [
      linux({ netDevices: { a: { name } } }),
      `error: linux.netDevices.a.name: "${name}": the name of a network device: up to 15 bytes, without / : and white space`,
    ]),
  ],
  'id maps': [
    [linux({ namespaces: user, uidMappings: ids, gidMappings: ids })],
    [linux({ uidMappings: ids }), 'error: linux.uidMappings: an array of 1: nothing without a user namespace'],
    [
      linux({ namespaces: user }),
      'error: linux.uidMappings: missing: at least one range, for a new user namespace',
      'error: linux.gidMappings: missing: at least one range, for a new user namespace',
    ],
    [
      linux({ namespaces: [{ type: 'mount' }, { type: 'user', path: '/proc/1/ns/user' }], uidMappings: ids }),
      'warning: linux.uidMappings: an array of 1: of no effect: the user namespace that is joined has its own',
    ],
    [
      linux({ namespaces: user, gidMappings: ids, uidMappings: [{ containerID: 5, hostID: 0, size: 1 }] }),
      'error: linux.uidMappings: an array of 1: ranges that have the id 0 of process.user',
    ],
    [
      linux({ namespaces: user, gidMappings: ids, uidMappings: [...ids, { containerID: 9, hostID: 0, size: 1 }] }),
      'error: linux.uidMappings[1].containerID: 9: a range apart from 0 to 9, which is mapped already',
    ],
    [
      linux({ namespaces: user, gidMappings: ids, uidMappings: [{ containerID: 0, hostID: 4294967290, size: 6 }] }),
      'error: linux.uidMappings[0].size: 6: at most 5: ids end at 4294967294',
    ],
    [
      linux({ namespaces: user, gidMappings: ids, uidMappings: [{ containerID: 0, hostID: 0, size: 0 }] }),
      'error: linux.uidMappings[0].size: 0: an integer from 1 to 4294967295',
    ],
    [
      linux({ namespaces: user, gidMappings: ids, uidMappings: Array.from({ length: 341 }, (_, id) => ({ containerID: id, hostID: id, size: 1 })) }),
      'error: linux.uidMappings: an array of 341: at most 340 ranges',
    ],
  ],
  'the control group': [
    [linux({ cgroupsPath: '/a/b' })],
    [linux({ cgroupsPath: 'system.slice:ctr:box' })],
    [linux({ cgroupsPath: '' })],
    [linux({ cgroupsPath: '/a/../b' }), 'error: linux.cgroupsPath: "/a/../b": a path without ..'],
    [linux({ cgroupsPath: '//' }), 'error: linux.cgroupsPath: "//": a path of a group of its own, and not of the root of all'],
    [linux({ cgroupsPath: '/a\n0::/b' }), 'error: linux.cgroupsPath: "/a\\n0::/b": a path without control characters'],
    [
      linux({ cgroupsPath: '/cgroup.procs' }),
      'error: linux.cgroupsPath: "/cgroup.procs": a path without names that begin with cgroup., as the files of the kernel do',
    ],
    [linux({ cgroupsPath: `/${'x'.repeat(256)}` }), `error: linux.cgroupsPath: "/${'x'.repeat(79)}…": a path, of which no part is longer than 255 bytes`],
  ],
  resources: [
    [resources({ pids: { limit: -1 } })],
    [resources({ pids: { limit: 0 } })],
    [resources({ pids: { limit: -2 } }), 'error: linux.resources.pids.limit: -2: an integer from -1 to 9223372036854775807'],
    [resources({ pids: { limit: 'max' } }), 'error: linux.resources.pids.limit: "max": an integer from -1 to 9223372036854775807'],
    [
      resources({ memory: { limit: 4096, swap: 1024 } }),
      'error: linux.resources.memory.swap: 1024: at least the limit of memory, 4096: it is of memory and swap together',
    ],
    [resources({ memory: { swap: 1024 } }), 'warning: linux.resources.memory.swap: 1024: of memory and swap together: it takes a limit of memory, too'],
    [resources({ memory: { limit: 1, reservation: 2 } }), 'warning: linux.resources.memory.reservation: 2: at most the limit, 1: more has no effect'],
    [resources({ memory: { swappiness: 101 } }), 'error: linux.resources.memory.swappiness: 101: an integer from 0 to 100'],
    [resources({ memory: { swappiness: 18446744073709551615n } })],
    [resources({ cpu: { shares: 1 } }), 'warning: linux.resources.cpu.shares: 1: from 2 to 262144: the kernel takes what is nearest'],
    [resources({ cpu: { quota: 500 } }), 'error: linux.resources.cpu.quota: 500: -1, 0, or at least 1000 microseconds'],
    [resources({ cpu: { period: 100 } }), 'error: linux.resources.cpu.period: 100: 0, or from 1000 to 1000000 microseconds'],
    [resources({ cpu: { quota: 2000, burst: 3000 } }), 'error: linux.resources.cpu.burst: 3000: at most the quota, 2000'],
    [resources({ cpu: { cpus: '0-3,,x' } }), 'error: linux.resources.cpu.cpus: "0-3,,x": numbers from 0 to 8191, and ranges of them, such as 0-3,7'],
    [resources({ cpu: { cpus: '0-31:2/4, 7', mems: 'all' } })],
    [resources({ cpu: { idle: 2 } }), 'error: linux.resources.cpu.idle: 2: an integer from 0 to 1'],
    [resources({ blockIO: { weight: 1001 } }), 'error: linux.resources.blockIO.weight: 1001: an integer from 0 to 1000'],
    [
      resources({ blockIO: { weightDevice: [{ major: 8, minor: 0 }] } }),
      'error: linux.resources.blockIO.weightDevice[0].weight: missing: a weight or a leafWeight',
    ],
    [
      resources({ hugepageLimits: [{ pageSize: '64kB', limit: 1 }] }),
      'error: linux.resources.hugepageLimits[0].pageSize: "64kB": a size of pages, such as 2MB',
    ],
    [resources({ rdma: { mlx: {} } }), 'error: linux.resources.rdma.mlx: an object: hcaHandles or hcaObjects'],
    [resources({ unified: { 'memory.high': '1' } })],
    [resources({ unified: { '../x': '1' } }), 'error: linux.resources.unified["../x"]: "../x": the name of a file, without /'],
    [
      resources({ unified: { 'cgroup.procs': '1' } }),
      'error: linux.resources.unified["cgroup.procs"]: "cgroup.procs": the name of a file of a controller, such as memory.high',
    ],
    [resources({ devices: [{ allow: true, type: 'x' }] }), 'error: linux.resources.devices[0].type: "x": one of a, b, c'],
    [resources({ devices: [{ allow: true, access: 'rx' }] }), 'error: linux.resources.devices[0].access: "rx": a string of r, w and m'],
  ],
  'devices, paths and settings': [
    [
      linux({ devices: [{ type: 'c', path: '/dev/a' }] }),
      'error: linux.devices[0].major: missing: a number, for a device of type c',
      'error: linux.devices[0].minor: missing: a number, for a device of type c',
    ],
    [linux({ devices: [{ type: 'p', path: '/dev/../a' }] }), 'error: linux.devices[0].path: "/dev/../a": an absolute path without ..'],
    [linux({ devices: [{ type: 'c', path: '/dev/a', major: 4096, minor: 0 }] }), 'error: linux.devices[0].major: 4096: an integer from 0 to 4095'],
    [
      linux({ devices: [{ type: 'c', path: '/a', major: 1, minor: 3, fileMode: 0o4666 }] }),
      'warning: linux.devices[0].fileMode: 2486: at most 511, which is 0777: what is beyond has no effect',
    ],
    [
      linux({
        devices: [
          { type: 'p', path: '/a' },
          { type: 'p', path: '/a' },
        ],
      }),
      'warning: linux.devices[1].path: "/a": a path that is free: linux.devices[0] has it, and this one is of no effect',
    ],
    [linux({ maskedPaths: ['proc'] }), 'error: linux.maskedPaths[0]: "proc": an absolute path'],
    [linux({ rootfsPropagation: 'rslave' })],
    [
      linux({ rootfsPropagation: 'slaev' }),
      'error: linux.rootfsPropagation: "slaev": one of private, shared, slave, unbindable, rprivate, rshared, rslave, runbindable; did you mean slave?',
    ],
    [linux({ sysctl: { 'net.ipv4.ip_forward': '1', 'net/ipv4/conf/eth0.1/rp_filter': '1', 'kernel.domainname': 'x' } })],
    [linux({ sysctl: { 'kernel.panic': '1' } }), 'error: linux.sysctl["kernel.panic"]: "1": a setting that a namespace has: this one is the whole host’s'],
    [linux({ sysctl: { 'kernel/panic': '1' } }), 'error: linux.sysctl["kernel/panic"]: "1": a setting that a namespace has: this one is the whole host’s'],
    [linux({ sysctl: { 'kernel.hostname': 'a' } }), 'error: linux.sysctl["kernel.hostname"]: "a": another setting: this one is the field hostname'],
    [linux({ sysctl: { 'net..x': 'a' } }), 'error: linux.sysctl["net..x"]: "a": a setting such as net.ipv4.ip_forward'],
    [
      linux({ sysctl: { 'user.max_user_namespaces': '1' } }),
      'error: linux.sysctl["user.max_user_namespaces"]: "1": nothing without a namespace of the type user: it would be the setting of the host',
    ],
    [
      texts({ ...base, linux: { namespaces: [{ type: 'mount' }], sysctl: { 'net.core.somaxconn': '1' } } }),
      'error: linux.sysctl["net.core.somaxconn"]: "1": nothing without a namespace of the type network: it would be the setting of the host',
    ],
  ],
  seccomp: [
    [seccomp({ defaultAction: 'SCMP_ACT_KILL', syscalls: [{ names: ['read'], action: 'SCMP_ACT_TRACE', errnoRet: 65_535 }] })],
    [seccomp({ defaultErrnoRet: 1 }), 'error: linux.seccomp.defaultErrnoRet: 1: nothing with SCMP_ACT_ALLOW: only SCMP_ACT_ERRNO and SCMP_ACT_TRACE have one'],
    [
      seccomp({ syscalls: [{ names: ['a'], action: 'SCMP_ACT_ERRNO', errnoRet: 4096 }] }),
      'error: linux.seccomp.syscalls[0].errnoRet: 4096: at most 4095 with SCMP_ACT_ERRNO',
    ],
    [
      seccomp({ syscalls: [{ names: [], action: 'SCMP_ACT_ERRNO' }] }),
      'error: linux.seccomp.syscalls[0].names: an empty array: the name of a call, at least one',
    ],
    [seccomp({ listenerMetadata: 'a' }), 'error: linux.seccomp.listenerMetadata: "a": nothing without a listenerPath'],
    [
      seccomp({ syscalls: [{ names: ['a'], action: 'SCMP_ACT_NOTIFY' }] }),
      'error: linux.seccomp.listenerPath: missing: the path of a socket, as an action is SCMP_ACT_NOTIFY',
    ],
    [
      seccomp({ defaultAction: 'SCMP_ACT_NOTIFY', listenerPath: '/a' }),
      'error: linux.seccomp.defaultAction: "SCMP_ACT_NOTIFY": another action: the calls that hand the listener over would wait for it',
    ],
    [
      seccomp({ flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] }),
      'warning: linux.seccomp.flags: "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV": of no effect without an action SCMP_ACT_NOTIFY',
    ],
    [
      seccomp({ syscalls: [{ names: ['a'], action: 'SCMP_ACT_LOG', args: [{ index: 6, value: -1, op: 'SCMP_CMP_XX' }] }] }),
      'error: linux.seccomp.syscalls[0].args[0].index: 6: an integer from 0 to 5',
      'error: linux.seccomp.syscalls[0].args[0].value: -1: an integer from 0 to 18446744073709551615',
      'error: linux.seccomp.syscalls[0].args[0].op: "SCMP_CMP_XX": one of SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE, SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ; did you mean SCMP_CMP_NE?',
    ],
  ],
  'rarer things': [
    [
      linux({ personality: { domain: 'LINUX', flags: ['X'] } }),
      'error: linux.personality.flags: an array of 1: an empty array: the runtime-spec defines no flags',
    ],
    [linux({ intelRdt: { closID: '../x' } }), 'error: linux.intelRdt.closID: "../x": the name of a directory, or /'],
    [linux({ intelRdt: { memBwSchema: 'L3:0=1' } }), 'error: linux.intelRdt.memBwSchema: "L3:0=1": a line that begins with MB:'],
    [linux({ intelRdt: { l3CacheSchema: 'MB:0=1' } }), 'warning: linux.intelRdt.l3CacheSchema: "MB:0=1": a line that begins with L3:'],
    [linux({ intelRdt: { schemata: ['a\nb'] } }), 'error: linux.intelRdt.schemata[0]: "a\\nb": a string without line breaks'],
    [linux({ intelRdt: { enableCMT: true } }), 'warning: linux.intelRdt.enableCMT: true: deprecated: it has no effect; from 1.3 on there is enableMonitoring'],
    [linux({ memoryPolicy: { mode: 'MPOL_BIND' } }), 'error: linux.memoryPolicy.nodes: "": at least one node with MPOL_BIND'],
    [linux({ memoryPolicy: { mode: 'MPOL_LOCAL', nodes: '0' } }), 'error: linux.memoryPolicy.nodes: "0": none with MPOL_LOCAL'],
  ],
};

describe.each(Object.entries(cases))('of %s', (_, all) => {
  it.each(all.map(([said, ...expected]) => [expected[0] ?? 'nothing', said, expected] as const))('says %s', (_, said, expected) => {
    expect(said).toEqual(expected);
  });
});

describe('all that is wrong', () => {
  it('is told in one go, in the order of the document, with rules between parts that are good themselves', () => {
    expect(
      texts({
        ociVersion: 7,
        root: { path: 'rootfs' },
        process: { cwd: 'x', args: ['sh'] },
        hostname: 'box',
        linux: { namespaces: [{ type: 'mount' }], sysctl: { 'net.x': 5 } },
      }),
    ).toEqual([
      'error: ociVersion: 7: a version of the runtime-spec, such as 1.2.0',
      'error: process.cwd: "x": an absolute path',
      'error: linux.sysctl["net.x"]: 5: a string',
      'error: hostname: "box": nothing without a uts namespace: it would be the name of the host',
    ]);
  });

  it('is shown harmless to a terminal, and cut', () => {
    const [problem] = validate({ ...base, root: { path: `\u{1b}[2J\u{202e}${long}\0` } });
    expect(problem?.given).toMatch(/^"\\u001b\[2J\\u202ex{75}…"$/);
  });

  it('is told a thousand times, no error being lost behind warnings', () => {
    const unknown = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`unknown${index}`, 1]));
    const problems = validate({ ...unknown, ...base, root: 5 });
    expect(problems.filter(({ severity }) => severity === 'warning')).toHaveLength(1000);
    expect(problems.filter(({ severity }) => severity === 'error').map(problemText)).toEqual(['root: 5: an object']);
    expect(validate({ ...base, process: { cwd: '/', args: Array.from({ length: 5000 }, () => 1) } })).toHaveLength(1000);
  });

  it('takes little time to find, also of much that nobody knows', () => {
    const begin = performance.now();
    validate({ ...base, ...Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`mounts${'x'.repeat(50)}${index}`, 1])) });
    validate({ ...base, process: { cwd: '/', args: Array.from({ length: 500_000 }, () => 1) }, linux: { rootfsPropagation: long.repeat(1000) } });
    expect(performance.now() - begin).toBeLessThan(20_000);
  });

  it('is found in values that are not of JSON', () => {
    const own: { self?: unknown } = {};
    own.self = own;
    for (const value of [undefined, Symbol('x'), () => 1, new Map(), new Date(), own, 1n, Number.NaN, Object.create(null)])
      for (const part of ['ociVersion', 'root', 'process', 'mounts', 'linux', 'annotations', 'hooks'])
        expect(() => validate({ ...base, [part]: value })).not.toThrow();
    expect(validate({ ...base, hostname: undefined })).toEqual([]);
  });
});

describe('parseConfig', () => {
  const text = JSON.stringify({ ...base, unknown: 1, hostname: null });

  it('gives what counts, and tells what does not', () => {
    const warnings: Problem[] = [];
    expect(parseConfig(text, { onWarning: (warning) => warnings.push(warning) })).toEqual(base);
    expect(warnings.map(({ path }) => path)).toEqual(['unknown', 'hostname']);
    expect(parseConfig(Buffer.from(text))).toEqual(base);
  });

  it('throws all errors, a line each, and keeps the warnings', () => {
    const error = (() => {
      try {
        parseConfig(JSON.stringify({ ...base, ociVersion: 1, root: 2, unknown: 3 }));
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toBe('ociVersion: 1: a version of the runtime-spec, such as 1.2.0\nroot: 2: an object');
    expect((error as ConfigError).problems).toHaveLength(3);
  });

  it('takes no key for more than a key', () => {
    const config = parseConfig(
      `{"ociVersion":"1.2.0","root":{"path":"a","__proto__":{"readonly":true}},"__proto__":{"hostname":"x"},"constructor":{},
        "process":{"cwd":"/","args":["a"]},"annotations":{"__proto__":"a","constructor":"b"},"linux":{"namespaces":[{"type":"mount"}]}}`,
    );
    expect(config.root.readonly).toBeUndefined();
    expect(config.hostname).toBeUndefined();
    expect(Object.keys(config.annotations ?? {})).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(config.annotations)).toBeNull();
    expect(Object.getPrototypeOf(config.root)).toBe(Object.prototype);
  });

  it('reads a part alone, with paths from there on', () => {
    expect(parseProcess('{"cwd":"/","args":["a"]}')).toEqual({ cwd: '/', args: ['a'] });
    expect(parseResources('{"memory":{"limit":9007199254740993}}').memory?.limit).toBe(9007199254740993n);
    expect(() => parseProcess('{"cwd":"/"}')).toThrow('args: missing: the program has to be there: an array of at least one');
    expect(() => parseResources('[]')).toThrow('the whole: an empty array: an object');
    expect(validateProcess({ cwd: '/', args: ['a'], rlimits: [{}] }).map(({ path }) => path)).toEqual([
      'rlimits[0].type',
      'rlimits[0].soft',
      'rlimits[0].hard',
    ]);
    expect(validateResources({ pids: { limit: -5 } }).map(({ path }) => path)).toEqual(['pids.limit']);
  });

  it('knows its options', () => {
    expect(() => parseConfig(text, { onwarning: () => undefined } as object)).toThrow('parseConfig: there is no option "onwarning": did you mean onWarning?');
  });
});
