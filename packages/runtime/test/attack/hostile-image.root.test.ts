// Images with something else in place of what the set-up mounts, makes or opens: a link to the host, a pipe, a device. The host sees nothing of it.
import { execFileSync } from 'node:child_process';
import { chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { privileged, run, start, type ContainerOptions } from '@ctr/runtime';
import { openFd, openFlags } from '@ctr/syscall';

import { image, sharedImage, temporary } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { canary, listing, watchTheHost } from './host.js';

watchForLeaks();
watchTheHost();
const shared = sharedImage();

/** What a script of busybox's shell prints in a container. */
async function sh(script: string, options: ContainerOptions & { readonly rootfs: string }): Promise<string> {
  return (await run(['sh', '-c', script], options)).stdout;
}

/** Where a link leads, by a directory of the host and its own name. */
type Target = (outside: string, name: string) => string;

describe('a link in place of a directory', () => {
  /** An image with a link, and a directory of the host beside it that the link is aimed at. */
  function hostile(name: string, target: Target): { rootfs: string; outside: string; before: string[] } {
    const outside = canary(temporary());
    const rootfs = image();
    rmSync(join(rootfs, name), { recursive: true, force: true });
    symlinkSync(target(outside, name), join(rootfs, name));
    return { rootfs, outside, before: listing(outside) };
  }

  const targets: [string, Target][] = [
    ['absolute', (outside) => outside],
    ['relative', (outside) => `../../../../../../../..${outside}`],
    ['dangling', () => '/nowhere/at/all'],
    ['to itself', (_, name) => name],
    ['to a link of proc', () => '/proc/self/cwd'],
    ['to another directory of the image', () => '/etc'],
  ];

  it.each(['proc', 'sys'].flatMap((name) => targets.map(([what, target]) => [name, what, target] as const)))(
    '/%s is none that is followed: %s',
    async (name, _what, target) => {
      const { rootfs, outside, before } = hostile(name, target);
      const message = new RegExp(
        `^openat2\\(\\$root, "${name}", .*RESOLVE_NO_SYMLINKS.* = ELOOP .*\\nhint: /${name} has a symbolic link in it, where none is followed`,
      );
      await expect(sh('true', { rootfs })).rejects.toThrow(message);
      await expect(sh('true', { rootfs, namespaces: { user: 'new', net: 'host' } })).rejects.toThrow(message);
      expect(listing(outside)).toEqual(before);
    },
  );

  it.each(targets)('/dev stays in the image: %s', async (_what, target) => {
    const { rootfs, outside, before } = hostile('dev', target);
    const outcome = await sh('ls /etc/null 2>/dev/null', { rootfs }).catch((error: unknown) => String(error));
    expect(outcome).toMatch(/^\/etc\/null\n$|^SyscallError: openat2\(\$root, "dev", .* = (ENOENT|ELOOP) .*\nhint: \/dev /);
    expect(listing(outside)).toEqual(before);
  });

  it.each(targets.slice(0, 5).flatMap(([what, target]) => ['/link', '/link/below'].map((to) => [to, what, target] as const)))(
    'a mount point %s stays in the image: %s',
    async (to, _what, target) => {
      const { rootfs, outside, before } = hostile('link', target);
      const secret = temporary();
      for (const mount of [{ tmpfs: to }, { bind: secret, to }, { bind: '/etc/passwd', to }]) {
        await expect(sh('true', { rootfs, mounts: [mount] })).rejects.toThrow(
          /^(openat2\(\$root, "link|mkdirat\(\$link, "below).* = (ENOENT|ELOOP) .*\nhint: \/link/,
        );
      }
      expect(listing(outside)).toEqual(before);
      expect(readdirSync(secret)).toEqual([]);
    },
  );

  it('a link within the image is followed for a mount point', async () => {
    const rootfs = image();
    mkdirSync(join(rootfs, 'real'));
    symlinkSync('/../../real', join(rootfs, 'link'));
    expect(await sh('mount | grep -c "on /real "', { rootfs, mounts: [{ tmpfs: '/link' }] })).toBe('1\n');
  });

  it.each([{ tmpfs: '/link' }, { bind: '/usr', to: '/link/self' }])('no link leads a mount on top of proc: %j', async (mount) => {
    const { rootfs } = hostile('link', () => 'proc');
    expect(await sh('readlink /proc/self; ls -d /proc/1/exe; mount | tail -1', { rootfs, mounts: [mount], maskedPaths: [], readonlyPaths: [] })).toMatch(
      /^\d+\n\/proc\/1\/exe\nproc on \/proc type proc /,
    );
  });
});

describe('a /dev of the image', () => {
  const places = ['null', 'pts', 'ptmx', 'console', 'tty', 'shm', 'mqueue', 'fd', 'stdin', 'zero'];
  const kinds: [string, (path: string, outside: string, name: string) => void][] = [
    ['absolute links', (path, outside, name) => symlinkSync(join(outside, name), path)],
    ['relative links', (path, outside, name) => symlinkSync(`../../../../../../../..${outside}/${name}`, path)],
    ['dangling links', (path) => symlinkSync('/nowhere/at/all', path)],
    ['links to themselves', (path, _, name) => symlinkSync(name, path)],
    ['pipes', (path) => execFileSync('mkfifo', [path])],
    ['files', (path) => writeFileSync(path, 'of the image')],
    ['directories', (path) => mkdirSync(path)],
    ['devices of the host', (path) => execFileSync('mknod', ['-m', '666', path, 'b', '240', '0'])],
  ];

  it.each(kinds)('is out of the game, whatever is there: %s', async (_, make) => {
    const outside = canary(temporary());
    const rootfs = image();
    for (const name of places) make(join(rootfs, 'dev', name), outside, name);
    const before = [listing(outside), listing(join(rootfs, 'dev')).filter((line) => !line.startsWith(' '))];
    const script =
      'stat -c "%n %F %t:%T %U" /dev/null /dev/zero /dev/tty; for link in ptmx fd stdin; do readlink /dev/$link; done; echo x > /dev/null && echo null; touch /dev/shm/x && echo shm; ls /dev/pts';
    const expected =
      '/dev/null character special file 1:3 root\n/dev/zero character special file 1:5 root\n/dev/tty character special file 5:0 root\npts/ptmx\n/proc/self/fd\n/proc/self/fd/0\nnull\nshm\nptmx\n';
    expect(await sh(script, { rootfs })).toBe(expected);
    const inUserNamespace = await sh(script, { rootfs, namespaces: { user: 'new' } });
    expect(inUserNamespace.replaceAll(/ (root|nobody|UNKNOWN)$/gm, ' root')).toBe(expected);
    expect([listing(outside), listing(join(rootfs, 'dev')).filter((line) => !line.startsWith(' '))]).toEqual(before);
  });

  it.each(kinds)('does not choose the console, nor further devices: %s', async (_, make) => {
    const outside = canary(temporary());
    const rootfs = image();
    for (const name of ['console', 'pts', 'ptmx', 'null', 'more']) make(join(rootfs, 'dev', name), outside, name);
    const before = listing(outside);
    const script = 'stat -c %F /dev/console /dev/more; stat -L -c "%t:%T" /proc/self/fd/0 /dev/console; tty; echo end';
    const container = await start(['sh', '-c', script], {
      rootfs,
      terminal: { columns: 80, rows: 24 },
      user: { uid: 1000, gid: 1000 },
      devices: [{ device: '/dev/zero', to: '/dev/more' }],
    });
    let text = '';
    for await (const chunk of container.terminal?.stream ?? []) text += String(chunk);
    await container.exited;
    expect(text.replaceAll('\r', '')).toBe('character special file\ncharacter special file\n88:0\n88:0\n/dev/pts/0\nend\n');
    expect(listing(outside)).toEqual(before);
  });

  it('is not where stdin comes from when it is closed', async () => {
    const outside = canary(temporary());
    chownSync(join(outside, 'null'), 4711, 4711);
    const rootfs = image();
    symlinkSync(join(outside, 'null'), join(rootfs, 'dev/null'));
    const before = listing(outside);
    const file = join(outside, 'below/file');
    for (const user of [0, 1000]) {
      using output = openFd(file, { flags: openFlags.O_WRONLY | openFlags.O_TRUNC });
      const container = await start(['stat', '-L', '-c', '%F %t:%T', '/proc/self/fd/0'], {
        rootfs,
        user: { uid: user, gid: user },
        stdio: ['ignore', output, 'ignore'],
      });
      expect((await container.exited).exitCode).toBe(0);
      expect(readFileSync(file, 'utf8')).toBe('character special file 1:3\n');
    }
    writeFileSync(file, 'canary\n');
    expect(listing(outside).filter((line) => !line.startsWith('below'))).toEqual(before.filter((line) => !line.startsWith('below')));
  });
});

describe('a device file of an image', () => {
  /** An image with the null device where nobody would look for it: it stands for the host's disk. */
  function withDevice(): string {
    const rootfs = image();
    mkdirSync(join(rootfs, 'srv'));
    execFileSync('mknod', ['-m', '666', join(rootfs, 'srv/disk'), 'c', '1', '5']);
    return rootfs;
  }
  const script = 'head -c 4 /srv/disk | wc -c; head -c 4 /dev/zero | wc -c';

  it.each<[string, ContainerOptions]>([
    ['by default', {}],
    ['in a user namespace', { namespaces: { user: 'new' } }],
    ['in a user namespace with all capabilities', { ...privileged, namespaces: { user: 'new' } }],
    ['for another user', { user: { uid: 1000, gid: 1000 } }],
    ['without a filter', { seccomp: 'unconfined', noNewPrivileges: false }],
  ])('is none: %s', async (_, options) => {
    const { stdout, stderr } = await run(['sh', '-c', script], { rootfs: withDevice(), ...options });
    expect([stdout, stderr]).toEqual(['0\n4\n', 'head: /srv/disk: Permission denied\n']);
  });

  it('counts where the container could make it itself', async () => {
    expect(await sh(script, { rootfs: withDevice(), capabilities: { add: ['CAP_MKNOD'] } })).toBe('4\n4\n');
  });
});

describe('files that ctr writes for its own userland', () => {
  const names = ['hostname', 'hosts', 'resolv.conf', 'mtab'];

  it('are not written into a root that is given, by whatever links', async () => {
    const outside = canary(temporary());
    const rootfs = image();
    for (const name of names) symlinkSync(`../../../../../../../..${outside}/${name}`, join(rootfs, 'etc', name));
    rmSync(join(rootfs, 'etc/passwd'));
    symlinkSync(join(outside, 'passwd'), join(rootfs, 'etc/passwd'));
    const before = [listing(outside), listing(join(rootfs, 'etc'))];
    for (const namespaces of [{}, { net: 'host' }, { user: 'new' }] as const)
      expect(await sh('hostname; cat /etc/hostname /etc/hosts /etc/resolv.conf /etc/passwd 2>/dev/null; true', { rootfs, hostname: 'box', namespaces })).toBe(
        'box\n',
      );
    expect([listing(outside), listing(join(rootfs, 'etc'))]).toEqual(before);
    expect(names.map((name) => readlinkSync(join(rootfs, 'etc', name)))).toEqual(names.map((name) => `../../../../../../../..${outside}/${name}`));
  });

  it('are not written into one that has its own', async () => {
    const rootfs = image();
    writeFileSync(join(rootfs, 'etc/hostname'), 'of the image\n');
    expect(await sh('cat /etc/hostname; ls /etc', { rootfs, hostname: 'box' })).toBe('of the image\ngroup\nhostname\npasswd\n');
    expect(readFileSync(join(rootfs, 'etc/hostname'), 'utf8')).toBe('of the image\n');
  });
});

describe('programs of the set-up', () => {
  it('are none of the image', async () => {
    const rootfs = image();
    const decoys = ['mount', 'umount', 'newuidmap', 'newgidmap', 'nsenter', 'unshare', 'ip', 'nft', 'modprobe', 'ps', 'sh'];
    for (const directory of ['bin', 'sbin', 'usr/bin', 'usr/sbin', 'usr/local/bin']) {
      mkdirSync(join(rootfs, directory), { recursive: true });
      for (const name of decoys) {
        rmSync(join(rootfs, directory, name), { force: true });
        writeFileSync(join(rootfs, directory, name), `#!/bin/busybox sh\necho ${name} >> /executed\n`, { mode: 0o777 });
      }
    }
    for (const options of [{}, { namespaces: { user: 'new' } }, { init: true }, { user: { uid: 1000, gid: 1000 } }] as const)
      await run(['/bin/busybox', 'true'], { rootfs, ...options });
    expect(lstatSync(join(rootfs, 'executed'), { throwIfNoEntry: false })).toBeUndefined();
    await run(['nft'], { rootfs });
    expect(readFileSync(join(rootfs, 'executed'), 'utf8')).toBe('nft\n');
  });
});

describe('places that cannot be', () => {
  it.each(['proc', 'sys', 'dev'])('/%s that is a file, a pipe or a device is refused', async (name) => {
    for (const make of [
      (path: string) => writeFileSync(path, ''),
      (path: string) => execFileSync('mkfifo', [path]),
      (path: string) => execFileSync('mknod', [path, 'c', '240', '0']),
    ]) {
      const rootfs = image();
      rmSync(join(rootfs, name), { recursive: true });
      make(join(rootfs, name));
      await expect(sh('true', { rootfs })).rejects.toThrow(new RegExp(`^openat2\\(\\$root, "${name}", .* = ENOTDIR .*\nhint: something in /${name} is a file`));
    }
    expect(await sh(`ls -d /${name}`, { rootfs: shared.path })).toBe(`/${name}\n`);
  });
});
