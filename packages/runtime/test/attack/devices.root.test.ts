// Device files that a program with CAP_MKNOD makes itself: of no use without a rule that allows the device, and of use where there is one, or no rules at all.
import { readdirSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { hierarchyOf, readLayout } from '@ctr/cgroups';
import { privileged, run, type ContainerOptions } from '@ctr/runtime';
import { AT_FDCWD, fileTypes, openFlags, type Step } from '@ctr/syscall';

import { image, sharedImage } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { NodeProgram } from '../node-program.js';
import { attempt, type Attempts } from './attempts.js';
import { watchTheHost } from './host.js';

watchForLeaks();
watchTheHost();

/** A disk of the host, or a device that stands for one: it is opened to be read, and nothing is. */
const disk = readdirSync('/sys/dev/block')[0]?.split(':').map(Number) ?? [];
/** The log of the kernel, which is opened to be written, and nothing is. */
const log = [1, 11];

const mknod = (name: string, type: number, [major = 0, minor = 0]: readonly number[]): Pick<Step, 'call' | 'args'> => ({
  call: 'mknodat',
  args: [AT_FDCWD, name, type | 0o600, (major << 8) | (minor & 0xff) | ((minor & ~0xff) << 12)],
});
const open = (name: string, flags: number): Pick<Step, 'call' | 'args'> => ({ call: 'openat', args: [AT_FDCWD, name, flags | openFlags.O_NONBLOCK, 0] });

/** Anew each time, since an attempt belongs to one program. In /dev, as nowhere else do device files count by default. */
const attempts = (): Attempts => ({
  'make a disk': mknod('/dev/disk', fileTypes.S_IFBLK, disk),
  'read the disk': open('/dev/disk', openFlags.O_RDONLY),
  'make the log': mknod('/dev/log', fileTypes.S_IFCHR, log),
  'write the log': open('/dev/log', openFlags.O_WRONLY),
  'make a null': mknod('/dev/nothing', fileTypes.S_IFCHR, [1, 3]),
  'write the null': open('/dev/nothing', openFlags.O_RDWR),
});
const made = { 'make a disk': 'ok', 'make the log': 'ok', 'make a null': 'ok', 'write the null': 'ok' };
const refused = { ...made, 'read the disk': 'EPERM', 'write the log': 'EPERM' };
const mayMake = { capabilities: { add: ['CAP_MKNOD'] } } satisfies ContainerOptions;

describe('a device file that the program makes', () => {
  it('opens no device of the host', async () => {
    expect(await attempt(attempts(), { rootfs: image(), ...mayMake })).toEqual(refused);
    expect(await attempt(attempts(), { rootfs: image(), capabilities: { add: 'all' }, seccomp: 'unconfined', noNewPrivileges: false })).toEqual(refused);
  });

  it('opens it where every device is allowed', async () => {
    const opened = { ...made, 'write the log': 'ok' };
    for (const options of [{ ...mayMake, deviceRules: 'unconfined' }, privileged] satisfies ContainerOptions[]) {
      const { 'read the disk': read, ...rest } = await attempt(attempts(), { rootfs: image(), ...options });
      expect(rest).toEqual(opened);
      // A device without a medium is found to have none.
      expect(read).not.toBe('EPERM');
    }
  });

  it('opens it where a rule allows it, as far as that goes', async () => {
    const rule = { allow: true, type: 'char', major: 1, minor: 11, access: 'w' } as const;
    expect(await attempt(attempts(), { rootfs: image(), ...mayMake, deviceRules: [rule] })).toEqual({ ...refused, 'write the log': 'ok' });
    expect(await attempt(attempts(), { rootfs: image(), ...mayMake, deviceRules: [{ ...rule, access: 'r' }] })).toEqual(refused);
    expect(await attempt(attempts(), { rootfs: image(), ...mayMake, limits: { devices: [{ allow: false, type: 'all' }] } }).catch(String)).toMatch(/EPERM/);
  });

  it('cannot be made without the capability', async () => {
    expect(await attempt({ make: mknod('/dev/disk', fileTypes.S_IFBLK, disk) }, { rootfs: image() })).toEqual({ make: 'EPERM' });
  });
});

it('a device of the host that was asked for is there for what it was asked for', async () => {
  const device = { device: '/dev/kmsg', to: '/dev/log' };
  const tries = (): Attempts => ({ read: open('/dev/log', openFlags.O_RDONLY), write: open('/dev/log', openFlags.O_WRONLY) });
  const rights = { capabilities: { add: ['CAP_SYSLOG'] } } satisfies ContainerOptions;
  expect(await attempt(tries(), { rootfs: image(), ...rights, devices: [device] })).toEqual({ read: 'ok', write: 'ok' });
  expect(await attempt(tries(), { rootfs: image(), ...rights, devices: [{ ...device, access: 'w' }] })).toEqual({ read: 'EPERM', write: 'ok' });
  expect(await attempt(tries(), { rootfs: image(), ...rights, devices: [{ ...device, access: 'r' }] })).toEqual({ read: 'ok', write: 'EPERM' });
});

it('the usual devices are there, and the disks of the host are not', async () => {
  const script =
    'for d in null zero full random urandom; do head -c 1 /dev/$d > /dev/null || echo no $d; echo x > /dev/$d || echo not $d; done 2>/dev/null; ls -l /dev | grep -c ^b';
  expect((await run(['sh', '-c', `${script}; true`], { rootfs: image() })).stdout).toBe('not full\n0\n');
});

describe('on cgroup v2', () => {
  const layout = readLayout();
  const v1 = hierarchyOf(layout, 'devices');
  const hasUnified = layout.hierarchies.some(({ version }) => version === 2);
  const shared = sharedImage();
  const program = new NodeProgram(`
    import { run, plan, posture } from '@ctr/runtime';
    const [options = ''] = process.argv.slice(2);
    const given = JSON.parse(options);
    console.log(posture(plan(['true'], given)).find(({ item }) => item === 'devices')?.value.slice(0, 24));
    const script = 'mknod /dev/log c 1 11; (: > /dev/log) 2>&1; mknod /dev/nothing c 1 3; : > /dev/nothing && echo the null';
    const { stdout } = await run(['sh', '-c', script], given);
    console.log(stdout.trim());
  `);
  // Where version 1 has the controller, a process that does not see it takes what else there is.
  const by = v1?.version === 1 ? ['unshare', '-m', '--propagation', 'private', 'sh', '-c', `umount ${v1.mount} && exec "$@"`, 'sh'] : [];

  it('a program of BPF refuses the same', async (context) => {
    if (!hasUnified) context.skip('no cgroup2 is mounted');
    const outcome = async (options: ContainerOptions): Promise<string[]> => {
      const { stdout, stderr } = await program.run([JSON.stringify({ rootfs: shared.path, ...mayMake, ...options })], { by });
      expect(stderr).toBe('');
      return stdout.trim().split('\n');
    };
    expect(await outcome({})).toEqual(['none but c *:* m, b *:* ', expect.stringMatching(/log: Operation not permitted$/), 'the null']);
    expect(await outcome({ deviceRules: 'unconfined' })).toEqual(['any that it has a file o', 'the null']);
    expect(await outcome({ deviceRules: [{ allow: true, type: 'char', major: 1, minor: 11 }] })).toEqual(['none but c *:* m, b *:* ', 'the null']);
  });
});
