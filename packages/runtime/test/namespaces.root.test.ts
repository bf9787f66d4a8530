import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

import { describe, expect, it } from 'vitest';

import { run, start, type ContainerOptions } from '@ctr/runtime';
import { allNamespaces, namespaceFile, type Namespace } from '@ctr/namespaces';

import { sharedImage } from './image.js';
import { watchForLeaks } from './leaks.js';

watchForLeaks();
const image = sharedImage();

const script = allNamespaces.map((kind) => `readlink /proc/self/ns/${namespaceFile(kind)}`).join('\n');

/** The namespaces of a program in a container. */
async function inside(options: ContainerOptions): Promise<Record<string, string>> {
  const { stdout } = await run(['/bin/busybox', 'sh', '-c', script.replaceAll('readlink', '/bin/busybox readlink')], options);
  return Object.fromEntries(
    stdout
      .trimEnd()
      .split('\n')
      .map((line, i) => [allNamespaces[i], line]),
  );
}

function ofProcess(pid: number | 'self', kind: Namespace): string {
  return readlinkSync(`/proc/${pid}/ns/${namespaceFile(kind)}`);
}

const host = Object.fromEntries(allNamespaces.map((kind) => [kind, ofProcess('self', kind)]));

/** A container that stays, and is gone at the end of the scope. */
function sleeper(options: ContainerOptions = {}): ReturnType<typeof start> {
  return start(['sleep', '1000'], { rootfs: image.path, stdio: 'ignore', ...options });
}

describe('the namespaces of a container', () => {
  it('are new ones of all kinds but time and, for root, user', async () => {
    const container = await inside({ rootfs: image.path });
    for (const kind of allNamespaces) {
      if (kind === 'user' || kind === 'time') expect(container[kind], kind).toBe(host[kind]);
      else expect(container[kind], kind).not.toBe(host[kind]);
    }
  });

  it.each(['pid', 'net', 'uts', 'ipc', 'cgroup', 'user', 'time'] as const)("may be the host's: %s", async (kind) => {
    const container = await inside({ rootfs: image.path, namespaces: { [kind]: 'host' } });
    expect(container[kind]).toBe(host[kind]);
    for (const other of ['mount', 'pid', 'net', 'uts', 'ipc', 'cgroup'] as const) if (other !== kind) expect(container[other], other).not.toBe(host[other]);
  });

  it("may be the host's: mount, with all that is mounted there", async () => {
    const container = await inside({ namespaces: { mount: 'host' } });
    expect(container['mount']).toBe(host['mount']);
    expect(container['pid']).not.toBe(host['pid']);
    const { stdout } = await run(['/bin/busybox', 'cat', '/proc/self/mountinfo'], { namespaces: { mount: 'host', pid: 'host', cgroup: 'host' } });
    expect(stdout).toBe(readFileSync('/proc/self/mountinfo', 'utf8'));
  });

  it("may all be the host's, which leaves a process in a cgroup", async () => {
    const all = Object.fromEntries(allNamespaces.map((kind) => [kind, 'host'])) as Record<Namespace, 'host'>;
    expect(await inside({ namespaces: all })).toEqual(host);
  });

  it.each(['user', 'time'] as const)('may be new: %s', async (kind) => {
    const container = await inside({ rootfs: image.path, namespaces: { [kind]: 'new' } });
    expect(container[kind]).not.toBe(host[kind]);
  });

  it.each(['pid', 'net', 'uts', 'ipc', 'cgroup', 'user', 'time'] as const)('may be those of another container, by pid and by path: %s', async (kind) => {
    await using other = await sleeper({ namespaces: { [kind]: 'new' } });
    const theirs = ofProcess(other.pid, kind);
    expect(theirs).not.toBe(host[kind]);
    expect((await inside({ rootfs: image.path, namespaces: { [kind]: { pid: other.pid } } }))[kind]).toBe(theirs);
    expect((await inside({ rootfs: image.path, namespaces: { [kind]: { path: `/proc/${other.pid}/ns/${namespaceFile(kind)}` } } }))[kind]).toBe(theirs);
  });

  it('may be those of another container: mount, whose root is then the root', async () => {
    await using other = await sleeper({ rootfs: image.path, mounts: [{ tmpfs: '/tmp' }] });
    const before = readFileSync(`/proc/${other.pid}/mountinfo`, 'utf8');
    await run(['sh', '-c', 'echo here > /tmp/note; cat /tmp/note'], { namespaces: { mount: { pid: other.pid }, pid: { pid: other.pid } } });
    const { stdout } = await run(['sh', '-c', 'cat /tmp/note; readlink /proc/self/ns/mnt'], {
      namespaces: { mount: { path: `/proc/${other.pid}/ns/mnt` }, pid: { pid: other.pid } },
    });
    expect(stdout).toBe(`here\n${ofProcess(other.pid, 'mount')}\n`);
    expect(readFileSync(`/proc/${other.pid}/mountinfo`, 'utf8')).toBe(before);
  });

  it('may be all those of another container, to look after it', async () => {
    await using other = await sleeper({ namespaces: { user: 'new', time: 'new' }, hostname: 'other' });
    const all = Object.fromEntries(allNamespaces.map((kind) => [kind, { pid: other.pid }])) as Record<Namespace, { pid: number }>;
    const { stdout } = await run(['sh', '-c', `hostname; ps -o args | grep -c "^sleep 1000"; ${script}`], { namespaces: all });
    expect(stdout.trimEnd().split('\n')).toEqual(['other', '1', ...allNamespaces.map((kind) => ofProcess(other.pid, kind))]);
  });

  it('are gone with it', async () => {
    const container = await sleeper();
    container.kill('SIGKILL');
    expect((await container.exited).signal).toBe('SIGKILL');
    expect(() => process.kill(container.pid, 0)).toThrow('ESRCH');
  });

  it('cannot be joined of a process that is not there, nor by what is no namespace', async () => {
    await expect(inside({ rootfs: image.path, namespaces: { net: { pid: 4_194_304 } } })).rejects.toThrow(/^pidfd_open\(4194304, 0\) = (ESRCH|EINVAL) /);
    await expect(inside({ rootfs: image.path, namespaces: { net: { path: '/nowhere' } } })).rejects.toThrow(/^openat\(AT_FDCWD, "\/nowhere", .* = ENOENT /);
    await expect(inside({ rootfs: image.path, namespaces: { net: { path: '/etc/passwd' } } })).rejects.toThrow(
      /^setns\(.* = EINVAL .*\nhint: \/etc\/passwd is not a net namespace$/,
    );
    await expect(inside({ rootfs: image.path, namespaces: { net: { path: '/proc/self/ns/uts' } } })).rejects.toThrow(/^setns\(.* = EINVAL /);
  });
});

describe('the UTS namespace', () => {
  it("has the container's host name, and leaves the host's alone", async () => {
    const before = hostname();
    expect((await run(['hostname'], { rootfs: image.path })).stdout).toBe('container\n');
    expect((await run(['hostname'], { rootfs: image.path, hostname: 'a'.repeat(64) })).stdout).toBe(`${'a'.repeat(64)}\n`);
    expect((await run(['hostname'], { rootfs: image.path, namespaces: { uts: 'host' } })).stdout).toBe(`${before}\n`);
    expect(hostname()).toBe(before);
  });
});

describe('the PID namespace', () => {
  it('has the program as its first process, and shows nothing of the host', async () => {
    const { stdout } = await run(['sh', '-c', 'echo $$; ls /proc | grep -E "^[0-9]+$"'], { rootfs: image.path });
    expect(stdout.split('\n').slice(0, 2)).toEqual(['1', '1']);
    expect(stdout.trimEnd().split('\n').length).toBeLessThan(6);
  });
  it("of the host shows the host's processes", async () => {
    const { stdout } = await run(['sh', '-c', `cat /proc/${process.pid}/comm`], { rootfs: image.path, namespaces: { pid: 'host' } });
    expect(stdout).toBe(readFileSync('/proc/self/comm', 'utf8'));
  });
});

describe('the network namespace', () => {
  it('has a loopback device that is up, and nothing else', async () => {
    const { stdout } = await run(
      [
        'sh',
        '-c',
        'ls /sys/class/net; cat /sys/class/net/lo/flags; (echo hello | nc -l -p 80 127.0.0.1 >/dev/null) & until nc 127.0.0.1 80 </dev/null 2>/dev/null; do :; done',
      ],
      { rootfs: image.path },
    );
    expect(stdout).toBe('lo\n0x9\nhello\n');
  });
  it("of the host has the host's devices", async () => {
    const { stdout } = await run(['cat', '/proc/net/dev'], { rootfs: image.path, namespaces: { net: 'host' } });
    expect(stdout.split('\n').length).toBe(readFileSync('/proc/net/dev', 'utf8').split('\n').length);
  });
});

describe('the cgroup namespace', () => {
  it('does not tell where the container is', async () => {
    const { stdout } = await run(['cat', '/proc/self/cgroup'], { rootfs: image.path });
    expect(stdout.split('\n').filter((line) => line.includes('ctr'))).toEqual([]);
    expect(stdout).toContain(':/\n');
  });
});

describe('the user namespace', () => {
  it('of root has ids that no account has, with the program as its root', async () => {
    const { stdout } = await run(
      [
        'sh',
        '-c',
        'cat /proc/self/uid_map /proc/self/gid_map | tr -s " "; id -u; id -g; ls -ldn /bin | tr -s " " | cut -d" " -f3,4; touch /tmp/x && ls -n /tmp/x | tr -s " " | cut -d" " -f3',
      ],
      {
        rootfs: image.path,
        namespaces: { user: 'new' },
        mounts: [{ tmpfs: '/tmp' }],
      },
    );
    // The image belongs to the host's root, who is nobody here.
    expect(stdout).toBe(' 0 100000 65536\n 0 100000 65536\n0\n0\n65534 65534\n0\n');
  });

  it('takes the maps that are given', async () => {
    const { stdout } = await run(['sh', '-c', 'cat /proc/self/uid_map /proc/self/gid_map | tr -s " "; id -u; id -g'], {
      rootfs: image.path,
      namespaces: { user: 'new' },
      uidMap: [
        { inside: 0, outside: 0, count: 1 },
        { inside: 1, outside: 200_000, count: 10 },
      ],
      gidMap: [{ inside: 0, outside: 300_000, count: 6 }],
      user: { uid: 7, gid: 5 },
    });
    expect(stdout).toBe(' 0 0 1\n 1 200000 10\n 0 300000 6\n7\n5\n');
  });

  it('of another container has the program as its root', async () => {
    await using other = await sleeper({ namespaces: { user: 'new' } });
    const { stdout } = await run(['sh', '-c', 'id -u; id -g; cat /proc/self/uid_map | tr -s " "'], {
      rootfs: image.path,
      namespaces: { user: { pid: other.pid } },
    });
    expect(stdout).toBe('0\n0\n 0 100000 65536\n');
  });

  it('has no id that is not mapped', async () => {
    const running = run(['true'], {
      rootfs: image.path,
      namespaces: { user: 'new' },
      uidMap: [{ inside: 0, outside: 100_000, count: 1 }],
      user: { uid: 1000, gid: 0 },
    });
    await expect(running).rejects.toThrow('user: the container has no uid 1000, but 0 only: give uidMap and gidMap that have it');
  });

  it("has the host's devices, its own mounts and no message queues of the host's", async () => {
    const { stdout } = await run(['sh', '-c', 'echo x > /dev/null; head -c 2 /dev/zero | wc -c; ls /dev; mount | grep -c "on /proc "; ls -d /sys/kernel'], {
      rootfs: image.path,
      namespaces: { user: 'new', ipc: 'host', net: 'host' },
    });
    expect(stdout).toBe('2\nfd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n1\n/sys/kernel\n');
  });
});

describe('the time namespace', () => {
  it('has clocks of its own', async () => {
    const { stdout } = await run(['cat', '/proc/self/timens_offsets'], { rootfs: image.path, namespaces: { time: 'new' } });
    expect(stdout.split('\n').map((line) => line.split(/\s+/).slice(0, 2))).toEqual([['monotonic', '0'], ['boottime', '0'], ['']]);
  });
});
