// System calls and files by which a program would change mounts, leave its namespaces or be executed by the host: each is refused, for each kind of user.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { privileged, run, type ContainerOptions } from '@ctr/runtime';
import { AT_FDCWD, cloneArgs, cloneFlags, Memory, mountFlags, namespaceFlags, openFlags, resultOf, signals, umountFlags, type Step } from '@ctr/syscall';

import { image } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { attempt, type Attempts } from './attempts.js';
import { watchTheHost } from './host.js';

watchForLeaks();
watchTheHost();

const users: [string, ContainerOptions][] = [
  ['root', {}],
  ['root of a user namespace', { namespaces: { user: 'new' } }],
  ['another user', { user: { uid: 1000, gid: 1000 } }],
  ['root where set-user-id counts', { noNewPrivileges: false }],
];

const O_PATH_DIRECTORY = openFlags.O_PATH | openFlags.O_DIRECTORY;
const handle = (): Memory => new Memory(new Uint8Array(Uint32Array.of(8, 1, 2, 0).buffer), 'handle');

/** Each of them anew, since an attempt belongs to one program. */
function mounting(): Attempts {
  return {
    mount: { call: 'mount', args: ['tmpfs', '/tmp', 'tmpfs', 0, null] },
    bind: { call: 'mount', args: ['/etc', '/tmp', null, mountFlags.MS_BIND, null] },
    remount: { call: 'mount', args: [null, '/', null, mountFlags.MS_REMOUNT | mountFlags.MS_BIND, null] },
    'remount /proc/sys': { call: 'mount', args: [null, '/proc/sys', null, mountFlags.MS_REMOUNT | mountFlags.MS_BIND, null] },
    'remount /sys': { call: 'mount', args: [null, '/sys', null, mountFlags.MS_REMOUNT | mountFlags.MS_BIND, null] },
    move: { call: 'mount', args: ['/dev', '/tmp', null, mountFlags.MS_MOVE, null] },
    proc: { call: 'mount', args: ['proc', '/tmp', 'proc', 0, null] },
    'cgroup v1': { call: 'mount', args: ['cgroup', '/tmp', 'cgroup', 0, 'rdma'] },
    'cgroup v2': { call: 'mount', args: ['cgroup2', '/tmp', 'cgroup2', 0, null] },
    umount: { call: 'umount2', args: ['/proc/sys', umountFlags.MNT_DETACH] },
    'umount a cover': { call: 'umount2', args: ['/proc/keys', umountFlags.MNT_DETACH] },
    fsopen: { call: 'fsopen', args: ['tmpfs', 0] },
    fspick: { call: 'fspick', args: [AT_FDCWD, '/', 0] },
    open_tree: { call: 'open_tree', args: [AT_FDCWD, '/etc', 1] },
    move_mount: { call: 'move_mount', args: [AT_FDCWD, '/dev', AT_FDCWD, '/tmp', 0] },
    mount_setattr: { call: 'mount_setattr', args: [AT_FDCWD, '/', 0, new Memory(32, 'attributes'), 32] },
    pivot_root: { call: 'pivot_root', args: ['.', '.'] },
    chroot: { call: 'chroot', args: ['/tmp'] },
  };
}

function namespaces(): Attempts {
  const flags = { ...namespaceFlags };
  return {
    ...Object.fromEntries(Object.entries(flags).map(([kind, flag]) => [`unshare ${kind}`, { call: 'unshare', args: [flag] } as const])),
    'clone with a user namespace': { call: 'clone', args: [cloneFlags.CLONE_NEWUSER | signals.SIGCHLD, 0, null, null, null] },
    'clone with a mount namespace': { call: 'clone', args: [cloneFlags.CLONE_NEWNS | signals.SIGCHLD, 0, null, null, null] },
    clone3: { call: 'clone3', args: [cloneArgs({ flags: cloneFlags.CLONE_NEWUSER, exit_signal: signals.SIGCHLD }), cloneArgs({}).byteLength] },
  };
}

const refused = (outcomes: Record<string, string>): [string, string][] => Object.entries(outcomes).filter(([, seen]) => seen !== 'EPERM');

describe.each(users)('to %s', (_, options) => {
  it('each way to mount, move and unmount is refused', async () => {
    const { chroot, ...rest } = await attempt(mounting(), { rootfs: image(), ...options });
    expect(refused(rest)).toEqual([]);
    // Who may change the root is confined by it all the same: the old one is not there.
    expect(chroot).toBe(options.user ? 'EPERM' : 'ok');
  });

  it('each way to new namespaces is refused', async () => {
    const { clone3, ...rest } = await attempt(namespaces(), { rootfs: image(), ...options });
    expect(refused(rest)).toEqual([]);
    expect(clone3).toBe('ENOSYS');
  });

  it('no file is opened by a handle', async () => {
    const root: Pick<Step, 'call' | 'args'> = { call: 'openat', args: [AT_FDCWD, '/', O_PATH_DIRECTORY, 0] };
    const own = handle();
    expect(
      await attempt(
        {
          root,
          name: { call: 'name_to_handle_at', args: [AT_FDCWD, '/etc/passwd', own, new Memory(8, 'mount'), 0] },
          open: { call: 'open_by_handle_at', args: [resultOf(root as Step), own, openFlags.O_RDONLY] },
          guess: { call: 'open_by_handle_at', args: [resultOf(root as Step), handle(), openFlags.O_RDONLY] },
        },
        { rootfs: image(), ...options },
      ),
    ).toMatchObject({ root: 'ok', open: 'EPERM', guess: 'EPERM' });
  });

  it('the control groups of the host are out of reach', async () => {
    for (const net of ['new', 'host'] as const) {
      const { stdout } = await run(
        [
          'sh',
          '-c',
          'find /sys/fs/cgroup -name release_agent -o -name notify_on_release -o -name cgroup.procs | head -20; echo; for f in $(find /sys/fs/cgroup -type f | head -200); do (: >> $f) 2>/dev/null && echo open $f; done; mkdir /sys/fs/cgroup/x 2>/dev/null && echo made; true',
        ],
        { rootfs: image(), ...options, namespaces: { ...options.namespaces, net } },
      );
      expect(stdout.slice(stdout.indexOf('\n\n') + 2).trim()).toBe('');
    }
  });
});

describe('with all rights, in namespaces of its own', () => {
  it('the same calls are made', async () => {
    const outcomes = await attempt(
      {
        mount: { call: 'mount', args: ['tmpfs', '/tmp', 'tmpfs', 0, null] },
        fsopen: { call: 'fsopen', args: ['tmpfs', 0] },
        open_tree: { call: 'open_tree', args: [AT_FDCWD, '/etc', 1] },
        umount: { call: 'umount2', args: ['/tmp', umountFlags.MNT_DETACH] },
        'unshare uts': { call: 'unshare', args: [namespaceFlags.uts] },
        'unshare user': { call: 'unshare', args: [namespaceFlags.user] },
      },
      { rootfs: image(), ...privileged },
    );
    expect(Object.values(outcomes).filter((seen) => seen !== 'ok')).toEqual([]);
  });

  it('a file of its own is opened by a handle', async () => {
    const root: Pick<Step, 'call' | 'args'> = { call: 'openat', args: [AT_FDCWD, '/scratch', openFlags.O_RDONLY | openFlags.O_DIRECTORY, 0] };
    const file = new Memory(new Uint8Array(Uint32Array.of(128, 0, ...Array.from({ length: 32 }, () => 0)).buffer), 'handle');
    expect(
      await attempt(
        {
          root,
          make: { call: 'openat', args: [resultOf(root as Step), 'file', openFlags.O_CREAT | openFlags.O_WRONLY, 0o600] },
          name: { call: 'name_to_handle_at', args: [resultOf(root as Step), 'file', file, new Memory(8, 'mount'), 0] },
          open: { call: 'open_by_handle_at', args: [resultOf(root as Step), file, openFlags.O_RDONLY] },
        },
        { rootfs: image(), ...privileged, mounts: [{ tmpfs: '/scratch' }] },
      ),
    ).toEqual({ root: 'ok', make: 'ok', name: 'ok', open: 'ok' });
  });

  it('a process of the container is made, without new namespaces', async () => {
    expect(await attempt({ clone: { call: 'clone', args: [signals.SIGCHLD, 0, null, null, null] } }, { rootfs: image() })).toEqual({ clone: 'ok' });
  });
});

describe('the release agent of the host', () => {
  const agents = (): Record<string, string> =>
    Object.fromEntries(
      readdirSync('/sys/fs/cgroup')
        .map((name) => `/sys/fs/cgroup/${name}/release_agent`)
        .filter((path) => existsSync(path))
        .map((path) => [path, readFileSync(path, 'latin1')]),
    );

  it.each(users)('is not set by %s, by whatever is mounted', async (_, options) => {
    const before = agents();
    const rootfs = image();
    writeFileSync(join(rootfs, 'agent'), '#!/bin/sh\ntouch /executed\n', { mode: 0o755 });
    const script =
      'for what in rdma memory cpu pids net_cls misc; do mkdir -p /tmp/$what; mount -t cgroup -o $what cgroup /tmp/$what && echo mounted; done; unshare -UrmC sh -c "mount -t cgroup -o rdma cgroup /tmp/rdma && echo unshared"; find / -xdev -name release_agent -o -name notify_on_release; true';
    const { stdout } = await run(['sh', '-c', `(${script}) 2>/dev/null`], { rootfs, ...options });
    expect(stdout).toBe('');
    expect(agents()).toEqual(before);
    expect(existsSync(join(rootfs, 'executed'))).toBe(false);
  });
});

it('a sysfs of the host, where it has to be that, is read-only with all that is mounted in it', async () => {
  const { stdout } = await run(['sh', '-c', 'grep " /sys" /proc/mounts | cut -d" " -f4 | grep -vc "^ro"; true'], {
    rootfs: image(),
    namespaces: { user: 'new', net: 'host' },
  });
  expect(stdout).toBe('0\n');
});
