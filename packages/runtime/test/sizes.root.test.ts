// What a container can take of the memory of the host by files.
import { describe, expect, it } from 'vitest';

import { plan, posture, run, standalonePlan, type ContainerOptions } from '@ctr/runtime';
import type { Plan, Step } from '@ctr/syscall';

import { watchForLeaks } from './leaks.js';

watchForLeaks();

async function sh(script: string, options: ContainerOptions = {}): Promise<string> {
  return (await run(['sh', '-c', script], options)).stdout;
}

const MiB = 2 ** 20;
const kinds: readonly (readonly [string, ContainerOptions])[] = [
  ['as root', {}],
  ['in a user namespace', { namespaces: { user: 'new' } }],
];

describe('a file system in memory', () => {
  it.each(kinds)('has a size and a number of files by default: %s', async (_, options) => {
    const script = 'stat -f -c "%n %c %b %S" / /tmp /var/tmp /scratch /dev /dev/shm';
    const found = await sh(script, { ...options, mounts: [{ tmpfs: '/scratch' }] });
    const sizes = found.trimEnd().split('\n').map((line) => {
      const [path, inodes, blocks, blockBytes] = line.split(' ');
      return [path, Number(blocks) * Number(blockBytes), Number(inodes)];
    }); // prettier-ignore
    const root = [1024 * MiB, 262_144];
    const small = [64 * MiB, 16_384];
    expect(sizes).toEqual([['/', ...root], ['/tmp', ...root], ['/var/tmp', ...root], ['/scratch', ...root], ['/dev', ...small], ['/dev/shm', ...small]]); // prettier-ignore
  });

  it('holds no more than the size that was given: of the root', async () => {
    const script =
      'dd if=/dev/zero of=/usr/file bs=1M count=8 2>/dev/null; dd if=/dev/zero of=/tmp/file bs=1M count=8 2>/dev/null; cat /usr/file /tmp/file | wc -c';
    expect(Number(await sh(script, { rootSizeBytes: 6 * MiB }))).toBeLessThanOrEqual(6 * MiB);
    expect(Number(await sh(script, { rootSizeBytes: 64 * MiB }))).toBe(16 * MiB);
  });

  it('holds no more files than its size has pages, of the root and of another', async () => {
    const script = 'cd /$0 && i=0; while [ $i -lt 3000 ] && : > f$i; do i=$((i + 1)); done 2>/dev/null; echo $i';
    const made = async (where: string, options: ContainerOptions): Promise<number> =>
      Number((await run(['sh', '-c', `${script}; true`, where], { ...options, reject: false })).stdout);
    expect(await made('tmp', { rootSizeBytes: 4 * MiB })).toBeLessThan(1024);
    expect(await made('scratch', { mounts: [{ tmpfs: '/scratch', sizeBytes: 65_536 }] })).toBeLessThan(1024);
    expect(await made('tmp', {})).toBe(3000);
  });
});

it('there are at most 256 terminals', async () => {
  expect(await sh('grep " /dev/pts " /proc/self/mounts')).toMatch(/max=256/);
});

describe('the posture', () => {
  const told = (options: ContainerOptions): Record<string, string> =>
    Object.fromEntries(posture(plan(['true'], { cgroup: false, ...options })).map(({ item, value }) => [item, value]));

  it('tells the sizes', () => {
    const { 'memory for files': sizes } = told({ rootSizeBytes: 2 * MiB, mounts: [{ tmpfs: '/scratch', sizeBytes: 1000 }] });
    expect(sizes).toBe('the root and the upper layers 2 MiB, /dev 64 MiB, shared memory 64 MiB, /scratch 1000 bytes');
  });

  it('tells what the root is', () => {
    const root = (options: ContainerOptions): string | undefined => told(options)['root file system'];
    expect(root({})).toMatch(/^the host's programs, copy on write, by overlays; where overlayfs is refused, by read-only binds/);
    expect(root({ readonly: true })).toMatch(/^the host's programs, read-only, by overlays/);
    expect(root({ rootfs: '/usr' })).toBe('/usr, writable; by pivot_root, the old one is gone');
    expect(root({ rootfs: '/', readonly: true })).toBe("/, read-only: the host's root file system; by pivot_root, the old one is gone");
    expect(root({ rootfs: '/', writableHostRoot: true })).toBe(
      "/, writable: the host's root file system, no boundary for who is root in it; by pivot_root, the old one is gone",
    );
  });

  it('tells each bind mount, and what it gives', () => {
    const binds = (options: ContainerOptions): string | undefined => told(options)['bind mounts'];
    const mounts = [
      { bind: '/usr/share', to: '/data', readonly: true },
      { bind: '/etc/passwd', to: '/users' },
      { bind: '/', to: '/host', readonly: true },
    ];
    const listed = "/usr/share at /data, read-only; /etc/passwd at /users, writable; / at /host, read-only (the host's root file system)";
    expect(binds({})).toBe('none');
    expect(binds({ mounts })).toBe(`${listed}. Read-only ones, too, are the host's files: locks and watches are of the host's, sockets and FIFOs lead there`);
    expect(binds({ mounts, seccomp: 'unconfined' })).toMatch(/locks, leases and watches/);
  });

  it('tells the binds that a device, a network or pids of the host take', () => {
    const binds = (options: ContainerOptions): string | undefined => told(options)['bind mounts'];
    expect(binds({ devices: [{ device: '/dev/null', to: '/dev/none' }] })).toMatch(/^\/dev\/null at \/dev\/none, a device\. /);
    expect(binds({ namespaces: { user: 'new', net: 'host' } })).toMatch(/^\/sys at \/sys, read-only\. /);
    expect(binds({ namespaces: { user: 'new', pid: 'host' } })).toMatch(/^\/proc at \/proc, writable as far as no path is read-only\. /);
    expect(binds({ namespaces: { net: 'host', pid: 'host' } })).toBe('none');
  });

  it('says that leases are refused only of a filter that refuses them', () => {
    const mounts = [{ bind: '/usr/share', to: '/data', readonly: true }];
    const all = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [] } as const;
    const none = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['fcntl', 'fcntl64'], action: 'SCMP_ACT_ERRNO' }] } as const;
    expect(told({ mounts, seccomp: all })['bind mounts']).toMatch(/locks, leases and watches/);
    expect(told({ mounts, seccomp: none })['bind mounts']).toMatch(/locks and watches/);
  });

  it('tells whose the session is, also of a compiled container, whose keeper and relays have their own', () => {
    const session = (of: Plan): string | undefined => posture(of).find(({ item }) => item === 'session')?.value;
    for (const made of [plan, standalonePlan]) {
      expect(session(made(['true'], { cgroup: false }))).toMatch(/^a new one/);
      expect(session(made(['true'], { cgroup: false, session: 'inherit' }))).toBe("the caller's");
    }
  });

  it('tells how much of a container ends with ctr', () => {
    const tie = (options: ContainerOptions): string | undefined => told(options)['die with ctr'];
    const kept = 'yes, whatever the program does: a keeper outside kills it';
    expect(tie({})).toBe(kept);
    expect(tie({ namespaces: { pid: 'host' } })).toBe(`${kept}, the program alone: other processes that it has made may live on, since pids are shared`);
    // As on a host that has control groups of version 2.
    const steps: Plan = plan(['true'], { cgroup: false, namespaces: { pid: 'host' } });
    const open: Step = { call: 'openat', args: [0, 'cgroup.kill', 0, 0], purpose: 'the file by which the keeper kills the group' };
    expect(posture([open, ...steps]).find(({ item }) => item === 'die with ctr')?.value).toBe(`${kept}, and all that is in its control group`);
  });
});
