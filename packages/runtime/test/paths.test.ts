// A path that an image can influence is never handed to the kernel as a string.
import { describe, expect, it } from 'vitest';

import { childPlan, plan, privileged, standalonePlan, type ContainerOptions } from '@ctr/runtime';
import { AT_FDCWD, type Step } from '@ctr/syscall';

import { allowed, violations } from '../../../test/support/path-rules.js';

const bindSource = '/usr/share';
const isSource = (path: string): boolean => path === bindSource;

/** What of a container's hardening makes steps. */
const hardenings: readonly ContainerOptions[] = [
  {},
  privileged,
  {
    devices: [{ device: '/dev/null', to: '/dev/more/null' }, { device: '/dev/zero' }],
    sysctls: { 'net.ipv4.ip_forward': '1', 'kernel.shmmax': '4096' },
    maskedPaths: ['/etc/shadow', '/proc/sys/kernel', '/sys/firmware', '/dev/zero'],
    readonlyPaths: ['/etc', '/proc/sys', '/dev/shm'],
    capabilities: { add: ['CAP_NET_RAW'], drop: ['CAP_CHOWN'] },
    rlimits: { nofile: 64 },
    umask: 0o077,
    seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mount'], action: 'SCMP_ACT_ERRNO' }] },
  },
  { capabilities: { drop: 'all' }, seccomp: 'unconfined', noNewPrivileges: false, devices: [{ device: '/dev/full' }], readonlyPaths: ['/'] },
];

/** All mixtures of a few values for each option. */
function mixtures(): ContainerOptions[] {
  const map = [{ inside: 0, outside: 100_000, count: 65_536 }];
  const axes: readonly (readonly ContainerOptions[])[] = [
    [{}, { rootfs: '/usr' }],
    [{}, { readonly: true }],
    [{}, { init: true }],
    [{}, { terminal: { columns: 80, rows: 24 } }],
    [{}, { user: { uid: 1000, gid: 1000 }, cwd: '/home' }],
    [
      {},
      {
        mounts: [
          { tmpfs: '/a/b/c', sizeBytes: 4096 },
          { bind: bindSource, to: '/data/./x', readonly: true },
          { bind: '/etc/passwd', to: '/etc/users' },
        ],
      },
    ],
    [
      { namespaces: { user: 'host' } },
      { namespaces: { user: 'new' }, uidMap: map, gidMap: map },
      { namespaces: { user: 'new', net: 'host', ipc: 'host' }, uidMap: map, gidMap: map },
      { namespaces: { user: 'host', net: 'host', pid: 'host', time: 'new' } },
      { namespaces: { user: 'new', pid: 'host' }, uidMap: map, gidMap: map },
    ],
  ];
  let all: ContainerOptions[] = [{ cgroup: false }];
  for (const axis of axes) all = all.flatMap((options) => axis.map((more) => ({ ...options, ...more })));
  return all.flatMap((options) => hardenings.slice(0, options.readonly ? 1 : undefined).map((hardening) => ({ ...options, ...possible(hardening, options) })));
}

/** Settings of a namespace that the container does not have are refused. */
function possible({ sysctls, ...rest }: ContainerOptions, { namespaces }: ContainerOptions): ContainerOptions {
  return sysctls && namespaces?.net === undefined ? { ...rest, sysctls } : rest;
}

describe('in no plan does a step hand over a path that the image can influence', () => {
  const used = new Set<string>();

  it('of all mixtures of options', () => {
    for (const options of mixtures()) expect(violations(plan(['sh'], options), used, { isSource }), JSON.stringify(options)).toEqual([]);
  });

  it('of a child, nor of an executable', () => {
    for (const options of mixtures().filter(({ terminal, uidMap, readonly }) => !terminal && !uidMap && !readonly)) {
      expect(violations(standalonePlan(['sh'], options), used, { isSource }), JSON.stringify(options)).toEqual([]);
      if (options.init || options.sysctls) continue;
      expect(violations(childPlan(['sh'], options), used, { isSource }), JSON.stringify(options)).toEqual([]);
      expect(violations(childPlan(['sh'], { ...options, passThrough: true }), used, { isSource }), JSON.stringify(options)).toEqual([]);
    }
  });

  it('and each of the reasons to allow one is needed', () => {
    expect(allowed.map(([why]) => why).filter((why) => !used.has(why))).toEqual([]);
  });

  it('and the rules would tell', () => {
    const steps = plan(['/bin/sh'], { cgroup: false, rootfs: '/usr', namespaces: { user: 'host' } });
    const root = steps.findIndex((step) => step.as === 'root');
    const pivot = steps.findIndex((step) => step.call === 'pivot_root');
    const bad: readonly (readonly [number, Step])[] = [
      [root + 1, { call: 'mkdirat', args: [AT_FDCWD, '/srv/image/proc', 0o755], purpose: 'a path into the image' }],
      [root + 1, { call: 'mount', args: ['proc', 'proc', 'proc', 0, null], purpose: 'a name below the working directory' }],
      [
        root + 1,
        { call: 'openat', args: [{ kind: 'result', step: steps[root] as Step }, 'etc', 0, 0], purpose: 'a name in the image, followed if it is a link' },
      ],
      [
        root + 1,
        {
          call: 'mkdirat',
          args: [{ kind: 'result', step: steps[root] as Step }, 'var/cache', 0o755],
          purpose: 'two names in the image, the first of which is followed',
        },
      ],
      [pivot + 1, { call: 'chdir', args: ['/srv'], purpose: 'a directory of the container, by whatever links' }],
      [pivot + 1, { call: 'execve', args: ['/bin/sh', ['sh'], []], purpose: 'a program that is looked up while directories of the host are open' }],
      [pivot + 1, { call: 'openat', args: [AT_FDCWD, '/etc/passwd', 0, 0], purpose: 'a file of the container, read as root of the host' }],
    ];
    for (const [at, step] of bad) expect(violations(steps.toSpliced(at, 0, step), new Set())).toEqual([expect.stringContaining(step.purpose)]);
  });
});
