import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { run, start, type ContainerOptions, type Mount } from '@ctr/runtime';
import { parseMountinfo } from '@ctr/fs';

import { image, sharedImage, temporary } from './image.js';
import { watchForLeaks } from './leaks.js';
import { NodeProgram } from './node-program.js';

watchForLeaks();
const shared = sharedImage();

// A host with a file system mounted in the directory.
const sharing = new NodeProgram(`
  import { execFileSync } from 'node:child_process';
  import { readFileSync } from 'node:fs';
  import { run, start } from '@ctr/runtime';
  const rootfs = process.argv[2] ?? '';
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', rootfs + '/tmp']);
  const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8');
  const before = mounts();
  const same = () => mounts() === before ? 'same' : mounts();
  const container = await start(['sleep', '1000'], { rootfs, mounts: [{ tmpfs: '/etc' }], stdio: 'ignore' });
  const during = same();
  container.kill('SIGKILL');
  await container.exited;
  const { stdout } = await run(['sh', '-c', 'grep " /tmp " /proc/mounts | cut -d" " -f3'], { rootfs });
  console.log(JSON.stringify({ inside: stdout, shared: before.includes(' shared:'), during, after: same() }));
`);

/** What a script of busybox's shell prints in a container. */
async function sh(script: string, options: ContainerOptions = {}): Promise<string> {
  return (await run(['sh', '-c', script], { rootfs: shared.path, ...options })).stdout;
}

/** Every file of a directory, with its type, mode and size. */
function listing(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => {
      const { mode, size, uid, gid, ino } = lstatSync(join(directory, name));
      return `${name} ${mode.toString(8)} ${size} ${uid}:${gid} ${ino}`;
    })
    .toSorted();
}

describe('the root', () => {
  it('is the directory, and the host is nowhere', async () => {
    writeFileSync(join(shared.path, 'here'), '');
    const outside = temporary();
    expect(await sh(`ls /; ls -d ${outside} ${shared.path} /proc/1/root/../../..${outside} 2>/dev/null; cd ..; pwd`)).toBe(
      'bin\ndev\netc\nhere\nproc\nsys\ntmp\n/\n',
    );
    rmSync(join(shared.path, 'here'));
  });

  it('has these mounts, and none of the host', async () => {
    const mounts = parseMountinfo(await sh('cat /proc/self/mountinfo', { maskedPaths: [], readonlyPaths: [] }));
    expect(mounts.map(({ mountPoint, type }) => `${mountPoint} ${type}`)).toEqual([
      expect.stringMatching(/^\/ /),
      '/sys sysfs',
      '/dev tmpfs',
      '/dev/pts devpts',
      '/dev/shm tmpfs',
      '/dev/mqueue mqueue',
      '/proc proc',
    ]);
    expect(mounts[0]?.root).toBe(shared.path);
  });

  it("leaves the host's mounts and the directory as they are, while it runs and after", async () => {
    const before = [readFileSync('/proc/self/mountinfo', 'utf8'), ...listing(shared.path)];
    const now = (): string[] => [readFileSync('/proc/self/mountinfo', 'utf8'), ...listing(shared.path)];
    {
      await using container = await start(['sleep', '1000'], { rootfs: shared.path, mounts: [{ tmpfs: '/tmp' }], stdio: 'ignore' });
      expect(readFileSync(`/proc/${container.pid}/mountinfo`, 'utf8')).not.toBe(before[0]);
      expect(now()).toEqual(before);
    }
    expect(now()).toEqual(before);
  });

  it('can be written by its own right, and is what the host then sees', async () => {
    const rootfs = image();
    await sh('echo new > /etc/new; mkdir -p /a/b', { rootfs });
    expect(readFileSync(join(rootfs, 'etc/new'), 'utf8')).toBe('new\n');
    expect(existsSync(join(rootfs, 'a/b'))).toBe(true);
  });

  it('cannot be written if it is read-only, but for what is mounted in it', async () => {
    const script =
      'touch /x 2>&1; touch /etc/x 2>&1; touch /tmp/x && echo /tmp; touch /dev/shm/x && echo /dev/shm; mount -o remount,rw / 2>/dev/null && echo remounted';
    const before = listing(shared.path);
    expect(await sh(`${script}; true`, { readonly: true, mounts: [{ tmpfs: '/tmp' }] })).toBe(
      'touch: /x: Read-only file system\ntouch: /etc/x: Read-only file system\n/tmp\n/dev/shm\n',
    );
    expect(listing(shared.path)).toEqual(before);
  });

  it('gets the places that it lacks, and says so if it cannot', async () => {
    const rootfs = image();
    for (const name of ['proc', 'sys', 'dev']) rmSync(join(rootfs, name), { recursive: true });
    expect(await sh('ls -d /proc/self /sys/class /dev/null', { rootfs })).toBe('/dev/null\n/proc/self\n/sys/class\n');
    rmSync(join(rootfs, 'proc'), { recursive: true });
    writeFileSync(join(rootfs, 'proc'), '');
    await expect(sh('true', { rootfs })).rejects.toThrow(
      /^openat2\(\$root, "proc", .* = ENOTDIR .*\nhint: something in \/proc is a file where a directory is needed$/,
    );
  });

  it('may be reached by a link', async () => {
    const link = join(temporary(), 'link');
    symlinkSync(shared.path, link);
    expect(await sh('cat /etc/passwd', { rootfs: link })).toBe(readFileSync(join(shared.path, 'etc/passwd'), 'utf8'));
  });

  it("has the host's other mounts in it, too, and none of the container's comes back to a host whose mounts are shared", async () => {
    const { stdout, stderr } = await sharing.run([shared.path], { by: ['unshare', '--mount', '--propagation', 'shared'] });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ inside: 'tmpfs\n', shared: true, during: 'same', after: 'same' });
  });
});

describe('/proc', () => {
  it("is the container's own", async () => {
    expect(await sh('cat /proc/1/cmdline | tr "\\0" " "; readlink /proc/1/exe')).toMatch(/^sh -c cat .* \/bin\/busybox\n$/);
  });
});

describe('/sys', () => {
  it('cannot be written', async () => {
    expect(
      await sh(
        'cat /sys/kernel/mm/transparent_hugepage/enabled >/dev/null 2>&1; (echo never > /sys/kernel/mm/transparent_hugepage/enabled) 2>&1; mkdir /sys/x 2>&1; true',
      ),
    ).toMatch(/^sh: can't create \/sys\/kernel\/mm\/transparent_hugepage\/enabled: Read-only file system\nmkdir: can't create directory '\/sys\/x': .*\n$/);
  });
});

describe('/dev', () => {
  it('has the usual devices and links, and no others', async () => {
    const lines = (await sh('ls -ln /dev | tail -n +2 | tr -s " " | cut -d" " -f1,3,4,5,6,9-')).trimEnd().split('\n');
    const dev = lines.map((line) => (line.startsWith('c') ? line : line.replace(/^(\S+) \S+ \S+ \S+ \S+ /, '$1 ')).replace(/ \d\d:\d\d /, ' '));
    expect(dev).toEqual([
      'lrwxrwxrwx fd -> /proc/self/fd',
      expect.stringMatching(/^crw-rw-rw- 0 0 1, 7 full$/),
      'drwxrwxrwt mqueue',
      expect.stringMatching(/^crw-rw-rw- 0 0 1, 3 null$/),
      'lrwxrwxrwx ptmx -> pts/ptmx',
      'drwxr-xr-x pts',
      expect.stringMatching(/^crw-rw-rw- 0 0 1, 8 random$/),
      'drwxrwxrwt shm',
      'lrwxrwxrwx stderr -> /proc/self/fd/2',
      'lrwxrwxrwx stdin -> /proc/self/fd/0',
      'lrwxrwxrwx stdout -> /proc/self/fd/1',
      expect.stringMatching(/^crw-rw-rw- 0 0 5, 0 tty$/),
      expect.stringMatching(/^crw-rw-rw- 0 0 1, 9 urandom$/),
      expect.stringMatching(/^crw-rw-rw- 0 0 1, 5 zero$/),
    ]);
  });

  it('has devices that work', async () => {
    const script =
      'echo x > /dev/null; head -c 3 /dev/zero | od -An -tx1; (echo x > /dev/full) 2>&1; head -c 4 /dev/urandom | wc -c; echo out > /dev/stdout; echo in | cat /dev/stdin; echo shared > /dev/shm/x; cat /dev/shm/x';
    expect(await sh(script)).toBe(' 00 00 00\nsh: write error: No space left on device\n4\nout\nin\nshared\n');
  });

  it("has terminals of its own, not the host's", async () => {
    expect(await sh('ls /dev/pts')).toBe('ptmx\n');
  });

  it("is not the image's, whatever that has there", async () => {
    const rootfs = image();
    writeFileSync(join(rootfs, 'dev/null'), 'not a device');
    expect(await sh('ls -l /dev/null | cut -c1', { rootfs })).toBe('c\n');
    expect(readFileSync(join(rootfs, 'dev/null'), 'utf8')).toBe('not a device');
  });
});

describe('mounts', () => {
  it('a tmpfs has the size that it is given, and no device or set-user-id program counts in it', async () => {
    const script =
      'df -k /scratch | tail -1 | tr -s " " | cut -d" " -f2; head -c 2000000 /dev/zero > /scratch/x; echo $?; ls -l /scratch/x | tr -s " " | cut -d" " -f5; ls -ld /scratch | cut -c1-10; mount | grep scratch';
    const { stdout, stderr } = await run(['sh', '-c', script], { rootfs: image(), mounts: [{ tmpfs: '/scratch', sizeBytes: 2 ** 20 }] });
    expect(stdout).toBe('1024\n1\n1048576\ndrwxrwxrwt\ntmpfs on /scratch type tmpfs (rw,nosuid,nodev,relatime,size=1024k,nr_inodes=1024)\n');
    expect(stderr).toMatch(/^head: standard output: (I\/O error|No space left on device)\n$/);
  });

  it('a directory of the host, to write or not', async () => {
    const [writable, readonly] = [temporary(), temporary()];
    writeFileSync(join(readonly, 'file'), 'content\n');
    const mounts: Mount[] = [
      { bind: writable, to: '/rw' },
      { bind: readonly, to: '/ro', readonly: true },
    ];
    expect(
      await sh('echo written > /rw/file; cat /ro/file; echo x 2>&1 > /ro/file; mount -o remount,rw /ro 2>/dev/null; (echo x > /ro/new) 2>&1; true', {
        rootfs: image(),
        mounts,
      }),
    ).toMatch(/^content\n/);
    expect(readFileSync(join(writable, 'file'), 'utf8')).toBe('written\n');
    expect(readFileSync(join(readonly, 'file'), 'utf8')).toBe('content\n');
  });

  it('a directory with all that is mounted below it is read-only as a whole', async () => {
    expect(await sh('touch /host/sys/x 2>&1; touch /host/dev/x 2>&1; true', { rootfs: image(), mounts: [{ bind: '/', to: '/host', readonly: true }] })).toBe(
      'touch: /host/sys/x: Read-only file system\ntouch: /host/dev/x: Read-only file system\n',
    );
  });

  it('a file of the host', async () => {
    const file = join(temporary(), 'file');
    writeFileSync(file, 'content\n');
    const rootfs = image();
    expect(
      await sh('cat /etc/passwd; echo more >> /etc/passwd; cat /new/file', {
        rootfs,
        mounts: [
          { bind: file, to: '/etc/passwd' },
          { bind: file, to: '/new/file', readonly: true },
        ],
      }),
    ).toBe('content\ncontent\nmore\n');
    expect(readFileSync(join(rootfs, 'etc/passwd'), 'utf8')).toContain('root');
    expect(statSync(join(rootfs, 'new/file')).size).toBe(0);
  });

  it('in the order of their depth, one in another', async () => {
    const rootfs = image();
    expect(await sh('find /a -type d', { rootfs, mounts: [{ tmpfs: '/a' }, { tmpfs: '/a/b' }, { tmpfs: '/a/b/c' }] })).toBe('/a\n/a/b\n/a/b/c\n');
    // Only the outermost place is made in the image.
    expect(readdirSync(join(rootfs, 'a'))).toEqual([]);
    expect(await sh('ls /a', { rootfs, mounts: [{ tmpfs: '/a/b' }, { tmpfs: '/a' }] })).toBe('b\n');
  });

  it('a file where a directory is wanted is an error', async () => {
    await expect(sh('true', { mounts: [{ tmpfs: '/etc/passwd' }] })).rejects.toThrow(
      / = ENOTDIR .*\nhint: something in \/etc\/passwd is a file where a directory is needed$/,
    );
    await expect(sh('true', { mounts: [{ tmpfs: '/etc/passwd/below' }] })).rejects.toThrow(/ = ENOTDIR /);
    await expect(sh('true', { mounts: [{ bind: '/etc/passwd', to: '/etc' }] })).rejects.toThrow(/^move_mount\(.* = (ENOTDIR|EINVAL) /);
  });
});
