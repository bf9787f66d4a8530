// The tables of abi/ against the headers of this system.
import type { Arch } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import * as constants from '../../src/abi/constants.js';
import { errnos } from '../../src/abi/errno.js';
import { numbers as numbersArm64 } from '../../src/abi/numbers-arm64.js';
import { numbers as numbersX64 } from '../../src/abi/numbers-x64.js';
import * as structs from '../../src/abi/structs.js';
import { missing, valuesOf } from './headers.js';

const linux = (...names: string[]): string[] => names.map((name) => `linux/${name}.h`);
/** Headers of the kernel, and those of the C library, which repeat what the kernel does not publish. Not all can be included together. */
const headers = [
  [
    ...linux(
      'fcntl',
      'openat2',
      'sched',
      'mount',
      'stat',
      'memfd',
      'close_range',
      'prctl',
      'wait',
      'magic',
      'sockios',
      'eventpoll',
      'securebits',
      'capability',
      'keyctl',
      'ioprio',
      'personality',
      'landlock',
      'seccomp',
      'audit',
      'bpf',
    ),
    'asm/poll.h',
    'asm/ioctls.h',
    'asm/socket.h',
  ],
  ['asm/signal.h'],
  ['linux/if.h'],
  linux('netlink', 'rtnetlink', 'if_link', 'if_addr'),
  ['linux/resource.h', 'asm/resource.h'],
  ['unistd.h', 'fcntl.h', 'sched.h', 'sys/socket.h', 'sys/mount.h', 'sys/wait.h'],
];

/** What the headers here are older than. */
const unknown: string[] = [];
let asked = 0;

/** What the headers say otherwise. What they do not know is noted. */
function differences(
  arch: Arch,
  table: Readonly<Record<string, number | bigint>>,
  prefix = '',
  sets: readonly (readonly string[])[] = headers,
): Record<string, string> {
  const names = Object.entries(table);
  const expressions = names.map(([name]) => prefix + name);
  const values = valuesOf(arch, expressions, ...sets);
  asked += names.length;
  const wrong: Record<string, string> = {};
  for (const [name, ours] of names) {
    const theirs = values.get(prefix + name);
    if (theirs === undefined) unknown.push(`${prefix}${name} (${arch})`);
    else if (BigInt.asUintN(64, theirs) !== BigInt.asUintN(64, BigInt(ours))) wrong[name] = `${ours}, in the headers ${theirs}`;
  }
  return wrong;
}

describe('system call numbers', () => {
  for (const [arch, table] of [
    ['x64', numbersX64],
    ['arm64', numbersArm64],
  ] as const) {
    it(`of ${arch} are those of asm/unistd.h`, ({ skip }) => {
      const reason = missing(arch);
      skip(reason !== undefined, reason);
      expect(differences(arch, table, '__NR_', [['asm/unistd.h']])).toEqual({});
    });
  }
});

it('errnos are those of asm/errno.h, on both architectures', ({ skip }) => {
  for (const arch of ['x64', 'arm64'] as const) {
    const reason = missing(arch);
    skip(reason !== undefined, reason);
    expect(differences(arch, errnos, '', [['asm/errno.h']])).toEqual({});
  }
});

describe('constants', () => {
  const own = process.arch === 'arm64' ? 'arm64' : 'x64';
  const single = Object.fromEntries(Object.entries(constants).filter(([, value]) => typeof value !== 'object')) as Record<string, number | bigint>;
  const groups = Object.entries(constants).filter(([, value]) => typeof value === 'object') as [string, Record<string, number>][];
  // Its keys are file names of /proc/PID/ns: their values are compared in cloneFlags.
  const tables = groups.filter(([name]) => name !== 'namespaceFlags');

  for (const [name, table] of [...tables, ['those that stand alone', single] as const]) {
    it(`${name} are those of the headers`, ({ skip }) => {
      const reason = missing(own);
      skip(reason !== undefined, reason);
      expect(differences(own, table)).toEqual({});
    });
  }

  it('are the same on the other architecture, but for the flags of open(2)', ({ skip }) => {
    const other = own === 'x64' ? 'arm64' : 'x64';
    const reason = missing(other);
    skip(reason !== undefined, reason);
    for (const [name, table] of tables) {
      const same = Object.entries(table).filter(([flag]) => name !== 'openFlags' || !['O_DIRECTORY', 'O_NOFOLLOW'].includes(flag));
      expect(differences(other, Object.fromEntries(same))).toEqual({});
    }
  });

  it('of open(2) trade places as lower.ts says they do', ({ skip }) => {
    const flags = ['O_DIRECT', 'O_LARGEFILE', 'O_DIRECTORY', 'O_NOFOLLOW'];
    const values = (['x64', 'arm64'] as const).map((arch) => {
      const reason = missing(arch);
      skip(reason !== undefined, reason);
      const found = valuesOf(arch, flags, ['asm/fcntl.h']);
      return flags.map((flag) => Number(found.get(flag)));
    });
    expect(values).toEqual([
      [0o40000, 0o100000, 0o200000, 0o400000],
      [0o200000, 0o400000, 0o40000, 0o100000],
    ]);
  });
});

describe('structs', () => {
  /** The C type of each, where it is not `struct` and its name, and the headers it is in; headers that are older may lack the `newer` fields. */
  const types: Record<
    string,
    {
      readonly type?: string;
      readonly headers: readonly string[];
      readonly without?: readonly string[];
      readonly newer?: readonly string[];
      readonly byteLength?: string;
      /** The member of the union that the fields are in, where that has a name. */
      readonly member?: string;
    }
  > = {
    open_how: { headers: ['linux/openat2.h'] },
    mount_attr: { headers: ['linux/mount.h'] },
    clone_args: { headers: ['linux/sched.h'] },
    pollfd: { headers: ['asm/poll.h'] },
    timespec: { type: 'struct __kernel_timespec', headers: ['linux/time_types.h'] },
    ifreq: { headers: ['linux/if.h'], without: ['ifr_rest'] },
    rlimit64: { headers: ['linux/resource.h'] },
    iovec: { headers: ['linux/uio.h'] },
    msghdr: { headers: ['sys/socket.h'] },
    cmsghdr: { headers: ['sys/socket.h'], without: ['fd'], byteLength: 'CMSG_SPACE(sizeof(int))' },
    winsize: { headers: ['asm/termios.h'] },
    epoll_event: { headers: ['linux/eventpoll.h'] },
    sigaction: { headers: ['asm/signal.h'] },
    __user_cap_header_struct: { headers: ['linux/capability.h'] },
    __user_cap_data_struct: {
      headers: ['linux/capability.h'],
      without: ['effective_high', 'permitted_high', 'inheritable_high'],
      byteLength: 'sizeof(struct __user_cap_data_struct[2])',
    },
    landlock_ruleset_attr: { headers: ['linux/landlock.h'], newer: ['handled_access_net', 'scoped'] },
    landlock_path_beneath_attr: { headers: ['linux/landlock.h'], without: ['parent_fd'], byteLength: 'sizeof(struct landlock_path_beneath_attr) + 4' },
    landlock_net_port_attr: { headers: ['linux/landlock.h'], newer: ['allowed_access', 'port'] },
    seccomp_notif_sizes: { headers: ['linux/seccomp.h'] },
    seccomp_data: { headers: ['linux/seccomp.h'] },
    seccomp_notif: { headers: ['linux/seccomp.h'] },
    seccomp_notif_resp: { headers: ['linux/seccomp.h'] },
    seccomp_notif_addfd: { headers: ['linux/seccomp.h'] },
    sched_attr: { headers: ['linux/types.h', 'linux/sched/types.h'] },
    bpf_attr_prog_load: { type: 'union bpf_attr', headers: ['linux/bpf.h'], byteLength: 'offsetof(union bpf_attr, prog_btf_fd)' },
    bpf_attr_prog_attach: { type: 'union bpf_attr', headers: ['linux/bpf.h'], without: ['fds'], byteLength: 'offsetof(union bpf_attr, replace_bpf_fd)' },
    bpf_attr_get_id: { type: 'union bpf_attr', headers: ['linux/bpf.h'], byteLength: 'offsetof(union bpf_attr, open_flags) + 4' },
    bpf_attr_prog_query: { type: 'union bpf_attr', member: 'query.', headers: ['linux/bpf.h'], byteLength: 'offsetof(union bpf_attr, query.prog_cnt) + 8' },
  };

  const described = Object.values(structs).filter((value) => typeof value === 'function' && 'structName' in value);
  for (const one of described) {
    it(`${one.structName} has the fields of the headers, at their offsets`, ({ skip }) => {
      const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
      const reason = missing(arch);
      skip(reason !== undefined, reason);
      const known = types[one.structName];
      if (!known) throw new Error(`the headers of struct ${one.structName} are not named in this test`);
      const type = known.type ?? `struct ${one.structName}`;
      const fields = one.fields.filter(({ name }) => !known.without?.includes(name));
      const asked = (name: string): [offset: string, size: string] => [
        `offsetof(${type}, ${known.member ?? ''}${name})`,
        `sizeof(((${type} *)0)->${known.member ?? ''}${name})`,
      ];
      const size = known.byteLength ?? `sizeof(${type})`;
      const values = valuesOf(arch, [...fields.flatMap(({ name }) => asked(name)), size], known.headers);
      const isTooNew = (name: string): boolean => known.newer?.includes(name) === true && values.get(asked(name)[0]) === undefined;
      const compared = fields.filter(({ name }) => !isTooNew(name));
      expect(Object.fromEntries(compared.map(({ name, offset, size: bytes }) => [name, [offset, bytes]]))).toEqual(
        Object.fromEntries(compared.map(({ name }) => [name, asked(name).map((expression) => Number(values.get(expression)))])),
      );
      const missed = fields.filter(({ name }) => isTooNew(name)).map(({ name }) => name);
      skip(missed.length > 0, `the headers here are older than ${missed.join(', ')}`);
      expect(one.byteLength).toBe(Number(values.get(size)));
    });
  }

  it('are all compared', () => {
    expect(described.length).toBeGreaterThan(10);
  });
});

it('the headers here know every number and constant', ({ skip }) => {
  expect(unknown.length).toBeLessThanOrEqual(asked / 10);
  skip(unknown.length > 0, `they are older than ${unknown.length} of ${asked}, which are not compared: ${unknown.join(', ')}`);
});
