import { capabilityNames, compileFilter, defaultCapabilities, defaultProfile, simulate, type Capability, type SeccompProfile } from '@ctr/security';
import { syscallNumbers, type SyscallAbi } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

const abis = ['x64', 'x32', 'i386', 'arm64', 'arm'] as const;

function verdict(
  abi: SyscallAbi,
  name: string,
  args: (number | bigint)[] = [],
  capabilities: readonly Capability[] = defaultCapabilities,
  profile = defaultProfile,
): string {
  const filter = compileFilter(profile, { arch: abi.startsWith('arm') ? 'arm64' : 'x64', capabilities, kernel: '6.1' });
  const nr = syscallNumbers(abi).get(name);
  if (nr === undefined) throw new Error(`${abi} has no ${name}`);
  const { action, data } = simulate(filter, { arch: abi, nr, args });
  return `${action.slice('SCMP_ACT_'.length)}${data > 0 ? ` ${data}` : ''}`;
}

/** What it allows with one capability, and not without. */
function gained(capability: Capability): string[] {
  const allowed = (capabilities: readonly Capability[]): string[] =>
    [...syscallNumbers('x64').keys()].filter((name) => verdict('x64', name, [2n ** 64n - 1n], capabilities) === 'ALLOW');
  const without = new Set(allowed([]));
  return allowed([capability]).filter((name) => !without.has(name));
}

describe('what every container may do', () => {
  it('is a matter of the name, on all kinds of programs', () => {
    for (const abi of abis) {
      expect(verdict(abi, 'execve')).toBe('ALLOW');
      expect(verdict(abi, 'openat2')).toBe('ALLOW');
      expect(verdict(abi, 'ptrace')).toBe('ALLOW');
      for (const name of [
        'mount',
        'unshare',
        'setns',
        'bpf',
        'kexec_load',
        'keyctl',
        'add_key',
        'request_key',
        'io_uring_setup',
        'io_uring_enter',
        'io_uring_register',
        'userfaultfd',
        'open_by_handle_at',
        'perf_event_open',
        'pivot_root',
        'fsopen',
      ])
        expect(`${name} ${verdict(abi, name)}`).toBe(`${name} ERRNO 1`);
    }
  });

  it('are not the calls of others: those of a name fail with EPERM, and those that are newer than all of them with ENOSYS', () => {
    for (const abi of ['x64', 'arm64'] as const) {
      const filter = compileFilter(defaultProfile, { arch: abi, capabilities: defaultCapabilities, kernel: '6.1' });
      const answers = Array.from({ length: 1000 }, (_, nr) => {
        const { action, data } = simulate(filter, { arch: abi, nr, args: [2n ** 64n - 1n] });
        return action === 'SCMP_ACT_ALLOW' ? 'ALLOW' : `${action} ${data}`;
      });
      const newest = Math.max(...[...syscallNumbers(abi).values()].filter((nr) => answers[nr] === 'ALLOW'));
      expect(newest).toBeGreaterThan(440);
      expect(new Set(answers.slice(newest + 1))).toEqual(new Set(['SCMP_ACT_ERRNO 38']));
      const older = new Set(answers.slice(0, newest).filter((answer, nr) => answer !== 'ALLOW' && nr !== syscallNumbers(abi).get('clone3')));
      expect(older).toEqual(new Set(['SCMP_ACT_ERRNO 1']));
    }
  });

  it('are the calls of these numbers', () => {
    const filter = (arch: 'x64' | 'arm64', capabilities: readonly Capability[]): string =>
      compileFilter(defaultProfile, { arch, capabilities, kernel: '6.1' }).summary;
    expect(filter('x64', [])).toBe('302 calls allowed, 6 by their arguments, the rest EPERM');
    expect(filter('x64', defaultCapabilities)).toBe('303 calls allowed, 6 by their arguments, the rest EPERM');
    expect(filter('x64', capabilityNames)).toBe('346 calls allowed, 5 by their arguments, the rest EPERM');
    expect(filter('arm64', defaultCapabilities)).toBe('261 calls allowed, 6 by their arguments, the rest EPERM');
  });
});

describe('what a capability brings', () => {
  it('are the calls that are of no use without it', () => {
    expect(Object.fromEntries(capabilityNames.map((capability) => [capability, gained(capability).join(' ')]).filter(([, names]) => names !== '')))
      .toMatchInlineSnapshot(`
      {
        "CAP_BPF": "bpf",
        "CAP_DAC_READ_SEARCH": "open_by_handle_at",
        "CAP_PERFMON": "perf_event_open",
        "CAP_SYSLOG": "syslog",
        "CAP_SYS_ADMIN": "clone syslog mount umount2 sethostname setdomainname quotactl lookup_dcookie unshare perf_event_open fanotify_init setns bpf open_tree move_mount fsopen fsconfig fsmount fspick clone3 mount_setattr quotactl_fd lsm_get_self_attr lsm_set_self_attr lsm_list_modules",
        "CAP_SYS_BOOT": "reboot",
        "CAP_SYS_CHROOT": "chroot",
        "CAP_SYS_MODULE": "init_module delete_module finit_module",
        "CAP_SYS_NICE": "mbind set_mempolicy get_mempolicy set_mempolicy_home_node",
        "CAP_SYS_PACCT": "acct",
        "CAP_SYS_PTRACE": "kcmp pidfd_getfd process_madvise",
        "CAP_SYS_RAWIO": "iopl ioperm",
        "CAP_SYS_TIME": "settimeofday clock_settime",
        "CAP_SYS_TTY_CONFIG": "vhangup",
      }
    `);
  });

  it('is clone3 as well: otherwise it is not there, so that programs use clone', () => {
    expect(verdict('x64', 'clone3')).toBe('ERRNO 38');
    expect(verdict('x64', 'clone3', [], ['CAP_SYS_ADMIN'])).toBe('ALLOW');
  });
});

describe('arguments', () => {
  it('of clone: no new namespaces', () => {
    for (const abi of abis) {
      expect(verdict(abi, 'clone', [0x11])).toBe('ALLOW');
      expect(verdict(abi, 'clone', [0x3d0f00])).toBe('ALLOW');
      for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000])
        expect(verdict(abi, 'clone', [flag | 0x11])).toBe('ERRNO 1');
      expect(verdict(abi, 'clone', [0x10000011], ['CAP_SYS_ADMIN'])).toBe('ALLOW');
    }
  });

  it('of clone: no children of the parent, which are strangers to it', () => {
    for (const abi of abis) {
      for (const flags of [0x8000n, 0x8011n, 0x3d8f00n, 0xffffffff00008011n]) expect(verdict(abi, 'clone', [flags])).toBe('ERRNO 1');
      for (const flags of [0x4000n, 0x10000n, 0x01200011n, 0x3d0f00n]) expect(verdict(abi, 'clone', [flags])).toBe('ALLOW');
    }
  });

  it('of personality: none that weakens', () => {
    for (const abi of abis) {
      for (const value of [0, 8, 0x20000, 0x20008, 0xffffffff]) expect(verdict(abi, 'personality', [value])).toBe('ALLOW');
      for (const value of [1, 9, 0x40000, 0x400000, 0x20001]) expect(verdict(abi, 'personality', [value])).toBe('ERRNO 1');
    }
  });

  it('of socket: no AF_ALG and AF_VSOCK, whatever the upper half says, which the kernel does not see', () => {
    for (const abi of abis)
      for (const high of [0n, 1n << 32n, 0xffffffffn << 32n]) {
        for (const family of [1n, 2n, 10n, 16n, 17n, 37n, 39n, 41n, 44n]) expect(verdict(abi, 'socket', [high | family, 1, 0])).toBe('ALLOW');
        for (const family of [38n, 40n]) expect(verdict(abi, 'socket', [high | family, 1, 0])).toBe('ERRNO 1');
      }
  });

  it('of socketcall: the same, so no sockets at all; but it can be allowed', () => {
    expect(verdict('i386', 'socketcall', [1])).toBe('ERRNO 1');
    for (let call = 2; call <= 20; call++) expect(verdict('i386', 'socketcall', [call])).toBe('ALLOW');
    const looser: SeccompProfile = {
      ...defaultProfile,
      syscalls: [{ names: ['socketcall'], action: 'SCMP_ACT_ALLOW', first: true }, ...(defaultProfile.syscalls ?? [])],
    };
    expect(verdict('i386', 'socketcall', [1], [], looser)).toBe('ALLOW');
    expect(verdict('i386', 'socket', [38], [], looser)).toBe('ERRNO 1');
  });

  it('of ioctl: no typing on terminals', () => {
    for (const abi of abis)
      for (const high of [0n, 1n << 32n, 0xffffffffn << 32n]) {
        for (const command of [0x5412n, 0x541cn]) expect(verdict(abi, 'ioctl', [0, high | command])).toBe('ERRNO 1');
        for (const command of [0x5401n, 0x5413n, 0x541bn, 0x541dn]) expect(verdict(abi, 'ioctl', [0, high | command])).toBe('ALLOW');
      }
  });

  it('of fcntl: no leases, delegations and notes of directories, and all else', () => {
    for (const abi of abis)
      for (const name of abi === 'i386' || abi === 'arm' ? (['fcntl', 'fcntl64'] as const) : (['fcntl'] as const))
        for (const high of [0n, 1n << 32n, 0xffffffffn << 32n]) {
          for (const command of [1024n, 1026n, 1040n]) expect(verdict(abi, name, [0, high | command])).toBe('ERRNO 1');
          for (const command of [0n, 4n, 7n, 38n, 1023n, 1025n, 1030n, 1034n, 1039n]) expect(verdict(abi, name, [0, high | command])).toBe('ALLOW');
        }
  });

  it('of ptrace: no stop at the end of a process, and all else', () => {
    const [POKEDATA, OLDSETOPTIONS, SETOPTIONS, SEIZE, LISTEN] = [5n, 21n, 0x4200n, 0x4206n, 0x4208n];
    for (const abi of abis)
      for (const high of [0n, 1n << 32n, 0xffffffffn << 32n]) {
        for (const request of [OLDSETOPTIONS, SETOPTIONS, SEIZE]) {
          for (const options of [0x40n, 0x41n, 0x1000c0n]) expect(verdict(abi, 'ptrace', [high | request, 1, 0, high | options])).toBe('ERRNO 22');
          for (const options of [0n, 0x3fn, 0x80n, 0x100000n]) expect(verdict(abi, 'ptrace', [high | request, 1, 0, high | options])).toBe('ALLOW');
        }
        for (const request of [POKEDATA, LISTEN]) expect(verdict(abi, 'ptrace', [high | request, 1, 0, 0x40n])).toBe('ALLOW');
      }
  });
});

it('names only calls that there are', () => {
  for (const arch of ['x64', 'arm64'] as const) expect(compileFilter(defaultProfile, { arch, capabilities: capabilityNames }).unknownSyscalls).toEqual([]);
});

it('cannot be changed', () => {
  expect(Object.isFrozen(defaultProfile)).toBe(true);
  for (const rule of defaultProfile.syscalls ?? []) for (const part of [rule, rule.names, ...(rule.args ?? [])]) expect(Object.isFrozen(part)).toBe(true);
});
