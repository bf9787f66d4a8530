// System calls that a container has no use for, tried one after the other: as they are, by the ways of other kinds of programs, and with the upper halves of arguments set.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { run, type ContainerOptions } from '@ctr/runtime';
import { AT_FDCWD, cloneFlags, Memory, signals } from '@ctr/syscall';

import { image } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { attempt, type Attempts } from './attempts.js';
import { foreignAnswers, foreignProgram, missingKind, type ForeignCall, type ForeignKind } from './foreign-calls.js';
import { watchTheHost } from './host.js';

watchForLeaks();
watchTheHost();

const HIGH = 0x1_0000_0000n;
/** sys/socket.h */
const families = { AF_UNIX: 1, AF_INET: 2, AF_NETLINK: 16, AF_ALG: 38, AF_VSOCK: 40 } as const;
const SOCK_SEQPACKET = 5;
/** linux/personality.h */
const ADDR_NO_RANDOMIZE = 0x0040000;
const READ_IMPLIES_EXEC = 0x0400000;

/** linux/fcntl.h */
const waitedFor = { F_SETLEASE: 1024, F_NOTIFY: 1026, F_SETDELEG: 1040 } as const;

const kinds = ['CLONE_NEWNS', 'CLONE_NEWCGROUP', 'CLONE_NEWUTS', 'CLONE_NEWIPC', 'CLONE_NEWUSER', 'CLONE_NEWPID', 'CLONE_NEWNET'] as const;

/** Refused whatever their arguments are. */
const denied = [
  'mount', 'umount2', 'pivot_root', 'move_mount', 'open_tree', 'fsopen', 'fsconfig', 'fsmount', 'fspick', 'mount_setattr', 'unshare', 'setns',
  'bpf', 'perf_event_open', 'userfaultfd', 'add_key', 'request_key', 'keyctl', 'io_uring_setup', 'io_uring_enter', 'io_uring_register',
  'kexec_load', 'kexec_file_load', 'init_module', 'finit_module', 'delete_module', 'swapon', 'swapoff', 'reboot', 'acct', 'quotactl', 'syslog',
  'settimeofday', 'clock_settime', 'sethostname', 'setdomainname', 'vhangup', 'open_by_handle_at', 'kcmp', 'process_madvise', 'pidfd_getfd',
  'get_mempolicy', 'set_mempolicy', 'mbind', 'move_pages', 'migrate_pages', 'fanotify_init',
] as const; // prettier-ignore

function attempts(): Attempts {
  return {
    ...Object.fromEntries(denied.map((name) => [name, { call: name, args: [0, 0, 0, 0, 0, 0] }])),
    ...Object.fromEntries(kinds.map((kind) => [`unshare ${kind}`, { call: 'unshare', args: [cloneFlags[kind]] }])),
    ...Object.fromEntries(kinds.map((kind) => [`clone ${kind}`, { call: 'clone', args: [cloneFlags[kind] | signals.SIGCHLD, 0, null, null, null] }])),
    'clone CLONE_PARENT': { call: 'clone', args: [cloneFlags.CLONE_PARENT | signals.SIGCHLD, 0, null, null, null] },
    'clone of all kinds': { call: 'clone', args: [kinds.reduce<number>((sum, kind) => sum | cloneFlags[kind], signals.SIGCHLD), 0, null, null, null] },
    ...Object.fromEntries(
      (['AF_ALG', 'AF_VSOCK'] as const).flatMap((family) => [
        [`socket ${family}`, { call: 'socket', args: [families[family], SOCK_SEQPACKET, 0] }],
        [`socket ${family}, upper half`, { call: 'socket', args: [HIGH | BigInt(families[family]), SOCK_SEQPACKET, 0] }],
      ]),
    ),
    'personality without random addresses': { call: 'personality', args: [ADDR_NO_RANDOMIZE] },
    'personality whose memory is executable': { call: 'personality', args: [READ_IMPLIES_EXEC] },
    TIOCSTI: { call: 'ioctl', args: [0, 0x5412, 'x'] },
    'TIOCSTI, upper half': { call: 'ioctl', args: [0, HIGH | 0x5412n, 'x'] },
    TIOCLINUX: { call: 'ioctl', args: [0, 0x541c, '\u0003'] },
    'TIOCLINUX, upper half': { call: 'ioctl', args: [0, HIGH | 0x541cn, '\u0003'] },
    ...Object.fromEntries(
      Object.entries(waitedFor).flatMap(([name, command]) => [
        [name, { call: 'fcntl', args: [0, command, 0] }],
        [`${name}, upper half`, { call: 'fcntl', args: [0, HIGH | BigInt(command), 0] }],
      ]),
    ),
  };
}

describe('a call that is denied', () => {
  it.each<[string, ContainerOptions]>([
    ['root', {}],
    ['another user', { user: { uid: 1000, gid: 1000 } }],
    ['root of a user namespace', { namespaces: { user: 'new' } }],
    ['root below an init', { init: true }],
  ])('fails with EPERM, and does nothing: %s', async (_, options) => {
    const answers = await attempt(attempts(), { rootfs: image(), ...options });
    expect(Object.entries(answers).filter(([, answer]) => answer !== 'EPERM')).toEqual([]);
  });

  it('is answered by what it would do without the filter', async () => {
    const answers = await attempt(attempts(), { rootfs: image(), namespaces: { user: 'new' }, seccomp: 'unconfined' });
    expect(answers).toMatchObject({
      keyctl: 'EINVAL',
      'unshare CLONE_NEWUSER': 'ok',
      'personality without random addresses': 'ok',
      'personality whose memory is executable': 'ok',
    });
    const all = kinds.reduce<number>((sum, kind) => sum | cloneFlags[kind], signals.SIGCHLD);
    expect(await attempt({ clone: { call: 'clone', args: [all, 0, null, null, null] } }, { rootfs: image(), seccomp: 'unconfined' })).toEqual({ clone: 'ok' });
    for (const name of [
      'clone CLONE_PARENT',
      'setns',
      'add_key',
      'request_key',
      'bpf',
      'perf_event_open',
      'get_mempolicy',
      'TIOCSTI',
      'F_SETLEASE',
      'F_NOTIFY',
      'socket AF_ALG',
    ])
      expect([name, answers[name]]).not.toEqual([name, 'EPERM']);
  });

  it('is made by who has the capability for it, in a user namespace of its own', async () => {
    const answers = await attempt(
      {
        mount: { call: 'mount', args: ['tmpfs', '/tmp', 'tmpfs', 0, null] },
        umount2: { call: 'umount2', args: ['/tmp', 0] },
        unshare: { call: 'unshare', args: [cloneFlags.CLONE_NEWUTS] },
        sethostname: { call: 'sethostname', args: ['other', 5] },
        clone: { call: 'clone', args: [cloneFlags.CLONE_NEWNET | signals.SIGCHLD, 0, null, null, null] },
        keyctl: { call: 'keyctl', args: [0, 0, 0, 0, 0] },
      },
      { rootfs: image(), namespaces: { user: 'new' }, capabilities: { add: ['CAP_SYS_ADMIN'] } },
    );
    expect(answers).toEqual({ mount: 'ok', umount2: 'ok', unshare: 'ok', sethostname: 'ok', clone: 'ok', keyctl: 'EPERM' });
  });
});

describe('a call that is newer than the profile', () => {
  it('is not there: clone3, whose flags a filter cannot see', async () => {
    const flags = Buffer.alloc(88);
    flags.writeBigUInt64LE(BigInt(cloneFlags.CLONE_NEWUSER));
    flags.writeBigUInt64LE(BigInt(signals.SIGCHLD), 32);
    const answers = (options: ContainerOptions): Promise<Record<string, string>> =>
      attempt({ clone3: { call: 'clone3', args: [new Memory(flags, 'clone_args'), flags.byteLength] } }, { rootfs: image(), ...options });
    expect(await answers({})).toEqual({ clone3: 'ENOSYS' });
    expect(await answers({ user: { uid: 1000, gid: 1000 } })).toEqual({ clone3: 'ENOSYS' });
    expect(await answers({ seccomp: 'unconfined' })).toEqual({ clone3: 'ok' });
  });
});

describe('what ordinary programs call', () => {
  it('is let through', async () => {
    const path = new Memory(8, 'pair');
    const answers = await attempt(
      {
        fork: { call: 'clone', args: [signals.SIGCHLD, 0, null, null, null] },
        'socket AF_UNIX': { call: 'socket', args: [families.AF_UNIX, 1, 0] },
        'socket AF_INET': { call: 'socket', args: [families.AF_INET, 1, 0] },
        'socket AF_NETLINK': { call: 'socket', args: [families.AF_NETLINK, 3, 0] },
        socketpair: { call: 'socketpair', args: [families.AF_UNIX, 1, 0, path] },
        'personality as it is': { call: 'personality', args: [0xffffffff] },
        'personality of Linux': { call: 'personality', args: [0] },
        openat: { call: 'openat', args: [AT_FDCWD, '/etc/passwd', 0, 0] },
        'ptrace PTRACE_TRACEME': { call: 'ptrace', args: [0, 0, 0, 0] },
        memfd_create: { call: 'memfd_create', args: ['x', 0] },
        prctl: { call: 'prctl', args: [39, 0, 0, 0, 0] },
      },
      { rootfs: image() },
    );
    expect(Object.entries(answers).filter(([, answer]) => answer !== 'ok')).toEqual([]);
  });

  // In the host's userland, copied on write: what is not installed is left out by name.
  const programs: [name: string, needs: string, command: [string, ...string[]], shows: string][] = [
    ['a shell with pipes and jobs', '/bin/bash', ['bash', '-c', 'seq 10 | sort -n | tail -1; sleep 0 & wait; echo done'], '10\ndone\n'],
    [
      'python3 with threads, processes and sockets',
      '/usr/bin/python3',
      [
        '/usr/bin/python3',
        '-c',
        `
import socket, subprocess, threading, multiprocessing
server = socket.create_server(('127.0.0.1', 0))
thread = threading.Thread(target=lambda: server.accept()[0].sendall(b'hello'))
thread.start()
print(socket.create_connection(server.getsockname()).recv(5).decode())
thread.join()
print(subprocess.run(['echo', 'forked'], capture_output=True, text=True).stdout.strip())
with multiprocessing.Pool(2) as pool: print(sum(pool.map(abs, [-1, -2])))
`,
      ],
      'hello\nforked\n3\n',
    ],
    [
      'node with threads, processes and sockets',
      process.execPath,
      [
        process.execPath,
        '-e',
        `
const { Worker } = require('node:worker_threads');
const net = require('node:net');
const { spawnSync } = require('node:child_process');
new Worker('require("node:worker_threads").parentPort.postMessage(6 * 7)', { eval: true }).on('message', (m) => {
  console.log(m);
  console.log(spawnSync('echo', ['forked']).stdout.toString().trim());
  const server = net.createServer((s) => s.end('hello')).listen(0, '127.0.0.1', () =>
    net.connect(server.address().port, '127.0.0.1').on('data', (d) => console.log(String(d))).on('close', () => server.close()));
});
`,
      ],
      '42\nforked\nhello\n',
    ],
  ];
  it.each(programs)('serves %s', async (_, needs, command, shows) => {
    if (!existsSync(needs)) throw new Error(`${needs} is not installed, which this test needs`);
    expect((await run(command, {})).stdout).toBe(shows);
    expect((await run(command, { user: { uid: 1000, gid: 1000 }, env: { HOME: '/tmp' } })).stdout).toBe(shows);
  });
});

/** asm/unistd_32.h */
const i386: Record<string, ForeignCall> = {
  mount: [21],
  umount2: [52],
  ptrace: [26, 0xffff],
  init_module: [128],
  personality: [136, ADDR_NO_RANDOMIZE],
  pivot_root: [217],
  kexec_load: [283],
  add_key: [286],
  request_key: [287],
  keyctl: [288, 0, 0xfffffffd],
  unshare: [310, cloneFlags.CLONE_NEWUSER],
  perf_event_open: [336],
  open_by_handle_at: [342],
  setns: [346],
  bpf: [357],
  socket: [359, families.AF_ALG, SOCK_SEQPACKET],
  userfaultfd: [374],
  io_uring_setup: [425],
  open_tree: [428],
  fsopen: [430],
  mount_setattr: [442],
  socketcall: [102, 1, 0],
  clone: [120, cloneFlags.CLONE_NEWUSER | signals.SIGCHLD],
  ioctl: [54, 0, 0x5412],
  fcntl: [55, 0, waitedFor.F_SETLEASE],
  fcntl64: [221, 0, waitedFor.F_SETLEASE],
};
const X32 = 0x40000000;
/** asm/unistd_x32.h: ptrace, for one, has a number of its own there. */
const x32: Record<string, ForeignCall> = {
  mount: [X32 | 165],
  unshare: [X32 | 272, cloneFlags.CLONE_NEWUSER],
  keyctl: [X32 | 250],
  bpf: [X32 | 321],
  setns: [X32 | 308],
  io_uring_setup: [X32 | 425],
  ioctl: [X32 | 514, 0, 0x5412],
  fcntl: [X32 | 72, 0, waitedFor.F_SETLEASE],
  socket: [X32 | 41, families.AF_ALG, SOCK_SEQPACKET],
  clone: [X32 | 56, cloneFlags.CLONE_NEWUSER | signals.SIGCHLD],
};

async function foreign(kind: ForeignKind, calls: readonly ForeignCall[], options: ContainerOptions = {}): Promise<string[]> {
  const rootfs = image();
  writeFileSync(join(rootfs, 'foreign'), foreignProgram(kind, calls), { mode: 0o755 });
  return foreignAnswers((await run(['sh', '-c', '/foreign | od -An -v -tx1'], { rootfs, ...options })).stdout);
}

describe.each(['i386', 'int80'] as const)('by the calls of i386: %s', (kind) => {
  const why = missingKind(kind);

  it('there is no way round the filter', async (context) => {
    if (why !== undefined) context.skip(why);
    const answers = await foreign(kind, Object.values(i386));
    const wrong = Object.keys(i386).map((name, i) => [name, answers[i]]).filter(([name, answer]) => answer !== (name === 'ptrace' ? 'ESRCH' : 'EPERM')); // prettier-ignore
    expect(wrong).toEqual([]);
  });

  it('clone3 is not there, and what programs need is', async (context) => {
    if (why !== undefined) context.skip(why);
    // getpid, getuid32, clone3, socket(AF_UNIX)
    expect(await foreign(kind, [[20], [199], [435, 0, 0], [359, families.AF_UNIX, 1]])).toEqual(['ok', 'ok', 'ENOSYS', 'ok']);
  });

  it('without the filter they are made', async (context) => {
    if (why !== undefined) context.skip(why);
    const names = ['keyctl', 'unshare', 'personality'];
    expect(await foreign(kind, names.map((name) => i386[name] ?? [0]), { seccomp: 'unconfined' })).toEqual(['ok', 'ok', 'ok']); // prettier-ignore
  });
});

it('by the numbers of x32 there is no way round the filter', async (context) => {
  const why = missingKind('syscall');
  if (why !== undefined) context.skip(why);
  const answers = await foreign('syscall', Object.values(x32));
  expect(answers.filter((answer) => answer !== 'EPERM' && answer !== 'ENOSYS')).toEqual([]);
  // The numbers of x64 with anything in the upper half of the register are none of its.
  expect(await foreign('syscall', [[39], [165], [250]])).toEqual(['ok', 'EPERM', 'EPERM']);
});
