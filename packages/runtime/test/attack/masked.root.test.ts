// What is hidden is empty, what is read-only is not written, and what covers it is the host's null device only to read from and write to: its mode and owner stay.
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { maskedSystemPaths, privileged, readonlySystemPaths, run, type ContainerOptions } from '@ctr/runtime';
import { AT_FDCWD, openFlags } from '@ctr/syscall';

import { image, temporary } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { attempt, type Attempts } from './attempts.js';
import { exchanging } from './exchange.js';
import { canary, listing, watchTheHost } from './host.js';

watchForLeaks();
watchTheHost();

/** What a script of busybox's shell prints in a container. */
async function sh(script: string, options: ContainerOptions & { readonly rootfs: string }): Promise<string> {
  return (await run(['/bin/busybox', 'sh', '-c', script], options)).stdout;
}

/** Opens for writing only: nothing is written, truncated or made. */
function opening(...paths: string[]): Attempts {
  return Object.fromEntries(paths.map((path) => [path, { call: 'openat', args: [AT_FDCWD, path, openFlags.O_WRONLY | openFlags.O_CLOEXEC, 0] } as const]));
}

const users: [string, ContainerOptions][] = [
  ['root', {}],
  ['root of a user namespace', { namespaces: { user: 'new' } }],
  ['another user', { user: { uid: 1000, gid: 1000 } }],
];

describe('a null device of the image', () => {
  const kinds: [string, (path: string, outside: string) => void][] = [
    ['a link to the host', (path, outside) => symlinkSync(join(outside, 'null'), path)],
    ['a link to what is to be hidden', (path) => symlinkSync('/proc/kcore', path)],
    ['a file', (path) => writeFileSync(path, 'not empty')],
    ['a pipe', (path) => execFileSync('mkfifo', [path])],
    ['a directory', (path) => mkdirSync(path)],
    ['another device', (path) => execFileSync('mknod', ['-m', '666', path, 'c', '1', '5'])],
  ];
  const script =
    'for path in /etc/secret /proc/keys; do cat $path | wc -c; echo x > $path; stat -c "%F %t:%T" $path; done; cat /etc/secret | wc -c; ls -A /srv';

  it.each(kinds.flatMap(([what, make]) => users.map(([who, options]) => [what, who, make, options] as const)))(
    'covers nothing: %s, for %s',
    async (_what, _who, make, options) => {
      const outside = canary(temporary());
      const rootfs = image();
      mkdirSync(join(rootfs, 'srv/below'), { recursive: true });
      writeFileSync(join(rootfs, 'etc/secret'), 'secret', { mode: 0o666 });
      make(join(rootfs, 'dev/null'), outside);
      const before = listing(outside);
      const paths = [...maskedSystemPaths(), '/etc/secret', '/srv'];
      expect(await sh(script, { rootfs, ...options, maskedPaths: paths })).toBe('0\ncharacter special file 1:3\n0\ncharacter special file 1:3\n0\n');
      expect(listing(outside)).toEqual(before);
      expect(await sh('cat /etc/secret; ls -A /srv', { rootfs, ...options })).toBe('secretbelow\n');
    },
  );

  it('covers nothing while it is exchanged for a link', async () => {
    const outside = canary(temporary());
    const rootfs = image();
    writeFileSync(join(rootfs, 'dev/null'), '');
    symlinkSync(join(outside, 'null'), join(rootfs, 'dev/other'));
    writeFileSync(join(rootfs, 'etc/secret'), 'secret');
    const before = listing(outside);
    await using _exchange = await exchanging(join(rootfs, 'dev'), 'null', 'other');
    for (let round = 0; round < 50; round++)
      expect(await sh('cat /etc/secret; stat -c "%t:%T" /etc/secret', { rootfs, maskedPaths: ['/etc/secret'] })).toBe('1:3\n');
    expect(listing(outside)).toEqual(before);
  });
});

it('what is hidden by default hides the buses of the host, and what is written to debug its kernel', async () => {
  const buses = readdirSync('/sys/devices').filter((name) => name.startsWith('pci'));
  expect(maskedSystemPaths()).toEqual(expect.arrayContaining(['/proc/dynamic_debug', ...buses.map((name) => `/sys/devices/${name}`)]));
  const script = 'for path in /sys/devices/pci* /proc/dynamic_debug; do ls -A $path; done 2>/dev/null; true';
  expect(await sh(script, { rootfs: image() })).toBe('');
  if (buses.length > 0) expect(await sh(script, { rootfs: image(), maskedPaths: [] })).not.toBe('');
});

describe('what covers a hidden file', () => {
  const changes = 'chmod 777 $path; chown 1000:1000 $path; touch -d @0 $path; ln $path /tmp/link; mv $path /tmp/moved; rm $path; mount -o remount,rw $path';

  it.each([...users, ['a root with all rights', privileged] as const])('keeps its mode and owner on the host: %s', async (_, options) => {
    const rootfs = image();
    const before = lstatSync('/dev/null');
    const script = `for path in /proc/keys /dev/null /dev/zero; do ${changes}; done 2>/dev/null; true`;
    // Nothing of the host's proc is in reach: of the paths, the first is covered and the others are the container's own.
    await sh(script, { rootfs, ...options, maskedPaths: ['/proc/keys'], ...(options === privileged && { capabilities: { drop: ['CAP_SYS_ADMIN'] } }) });
    const { mode, uid, gid, ino, rdev } = lstatSync('/dev/null');
    expect({ mode, uid, gid, ino, rdev }).toEqual({ mode: before.mode, uid: before.uid, gid: before.gid, ino: before.ino, rdev: before.rdev });
  });

  it("is another file than the host's null device, and one with the container's own", async () => {
    const script = 'stat -c %d:%i /proc/keys /dev/null';
    const [keys, own] = (await sh(script, { rootfs: image() })).trim().split('\n');
    const { dev, ino } = lstatSync('/dev/null');
    expect(keys).toBe(own);
    expect(keys).not.toBe(`${dev}:${ino}`);
  });

  it("is not the container's to change, but its own devices are", async () => {
    expect(
      await sh('chmod 777 /proc/keys 2>&1; chown 1000 /proc/keys 2>&1; chmod 640 /dev/null && stat -c %a /dev/null', {
        rootfs: image(),
        maskedPaths: ['/proc/keys'],
      }),
    ).toBe('chmod: /proc/keys: Read-only file system\nchown: /proc/keys: Read-only file system\n640\n');
  });

  it("is not changed in a user namespace, where the devices are the host's, too", async () => {
    const script =
      'for path in /dev/null /dev/zero /dev/tty /proc/keys; do chmod 777 $path; chown 1 $path; done 2>&1 | cut -d: -f3 | sort | uniq -c | tr -s " "';
    expect(await sh(script, { rootfs: image(), namespaces: { user: 'new' }, maskedPaths: ['/proc/keys'] })).toBe(' 8 Read-only file system\n');
  });
});

describe('what configures the host', () => {
  const settings = [
    '/proc/sysrq-trigger',
    '/proc/sys/kernel/core_pattern',
    '/proc/sys/kernel/modprobe',
    '/proc/sys/vm/panic_on_oom',
    '/proc/sys/fs/binfmt_misc/register',
    '/proc/irq/default_smp_affinity',
    '/proc/fs/xfs/stat',
    '/proc/bus/pci/00',
    '/sys/kernel/mm/transparent_hugepage/enabled',
    '/sys/power/state',
    '/sys/kernel/uevent_helper',
  ];
  /** What the root of this host may write, as the kernel was built. */
  const writable = ['/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger'].filter((path) => existsSync(path));

  it.each(users)('cannot be opened to be written: %s', async (_, options) => {
    const outcomes = await attempt(opening(...settings), { rootfs: image(), ...options });
    expect(Object.entries(outcomes).filter(([, seen]) => !['EROFS', 'EACCES', 'EPERM', 'ENOENT', 'EISDIR'].includes(seen))).toEqual([]);
    for (const path of writable) expect(outcomes[path]).toMatch(/^(EROFS|EACCES)$/);
  });

  it('could be opened if nothing were protected', async () => {
    const outcomes = await attempt(opening(...writable), { rootfs: image(), ...privileged });
    expect(Object.values(outcomes).filter((seen) => seen !== 'ok')).toEqual([]);
  });

  it('is not below a path of the image that is read-only by the same name', async () => {
    const rootfs = image();
    rmSync(join(rootfs, 'proc'), { recursive: true });
    mkdirSync(join(rootfs, 'proc/sys/kernel'), { recursive: true });
    writeFileSync(join(rootfs, 'proc/sys/kernel/core_pattern'), 'of the image');
    const script = 'cat /proc/sys/kernel/core_pattern | grep -c image; (echo x > /proc/sys/kernel/domainname) 2>&1; true';
    expect(await sh(script, { rootfs })).toMatch(/^0\nsh: .*Read-only file system\n$/);
    expect(readonlySystemPaths).toContain('/proc/sys');
  });

  it.each(users)('is read-only by its own path only as far as it is asked for: %s', async (_, options) => {
    const rootfs = image();
    mkdirSync(join(rootfs, 'srv'), { mode: 0o777 });
    execFileSync('chmod', ['777', join(rootfs, 'srv')]);
    const script = 'touch /srv/x 2>&1; echo $?';
    expect(await sh(script, { rootfs, ...options, readonlyPaths: ['/srv'] })).toMatch(/: Read-only file system\n1\n$/);
    expect(await sh(script, { rootfs, user: { uid: 1000, gid: 1000 } })).toBe('0\n');
  });
});

describe('settings of a namespace', () => {
  it('are those of the container, and only read from the host', async () => {
    const names = ['net.ipv4.ip_forward', 'kernel.shmmax', 'kernel.msgmax', 'fs.mqueue.msg_max'];
    const script = names.map((name) => `cat /proc/sys/${name.replaceAll('.', '/')}`).join(';');
    const before = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
    const sysctls = { 'net.ipv4.ip_forward': '1', 'kernel.shmmax': '123456', 'kernel.msgmax': '4321', 'fs.mqueue.msg_max': '7' };
    expect(await sh(script, { rootfs: image(), sysctls })).toBe('1\n123456\n4321\n7\n');
    expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' })).toBe(before);
  });

  it.each([
    'kernel.core_pattern',
    'kernel.modprobe',
    'vm.overcommit_memory',
    'fs.protected_symlinks',
    'kernel.sysrq',
    'net/../kernel/sysrq',
    'net.ipv4...kernel.sysrq',
  ])('are none of the whole host: %s', (name) => {
    expect(() => run(['true'], { rootfs: image(), sysctls: { [name]: '1' } })).toThrow(TypeError);
  });

  it('end up in no other file, whatever the image has below /proc, and whoever moves that away', async () => {
    const rootfs = image();
    mkdirSync(join(rootfs, 'proc/sys/net/ipv4'), { recursive: true });
    writeFileSync(join(rootfs, 'proc/sys/net/ipv4/ip_forward'), 'canary');
    mkdirSync(join(rootfs, 'other/sys/net/ipv4'), { recursive: true });
    symlinkSync('/etc/passwd', join(rootfs, 'other/sys/net/ipv4/ip_forward'));
    const passwd = listing(join(rootfs, 'etc'));
    await using _exchange = await exchanging(rootfs, 'proc', 'other');
    for (let round = 0; round < 50; round++) {
      const { exitCode } = await run(['/bin/busybox', 'true'], { rootfs, sysctls: { 'net.ipv4.ip_forward': '1' }, reject: false });
      expect(exitCode).toBe(0);
    }
    expect(listing(join(rootfs, 'etc'))).toEqual(passwd);
  });
});
