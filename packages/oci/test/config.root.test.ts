import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { create, defaultConfig, exec, remove, start, supportedFields, update, type Linux, type LinuxResources, type Mount } from '@ctr/oci';
import { readLayout } from '@ctr/cgroups';
import { describe, expect, it } from 'vitest';

import { bundleOf, configOf, created, fill, newId, Output, place, ran, type Changes } from './container.js';

const at = place();
const MiB = 2 ** 20;
const usual = defaultConfig().mounts ?? [];

async function output(line: string, changes: Changes = {}): Promise<string> {
  const { exit, output: text } = await ran(at, ['sh', '-c', line], changes);
  expect(`${exit.code} ${text}`).toMatch(/^0 /);
  return text;
}

/** A directory of the host with a file in it. */
function source(): string {
  const directory = mkdtempSync(join(at.directory, 'source-'));
  chmodSync(directory, 0o755);
  writeFileSync(join(directory, 'file'), 'from the host\n');
  return directory;
}

const withMounts = (...mounts: Mount[]): Changes => ({ mounts: [...usual, ...mounts] });
/** A root that tests may change. */
function ownRoot(): string {
  const rootfs = mkdtempSync(join(at.directory, 'root-'));
  chmodSync(rootfs, 0o755);
  fill(rootfs);
  return rootfs;
}

describe('namespaces', () => {
  it('are refused without one of mounts, in which the program would have the root of the host', async () => {
    const namespaces = (defaultConfig().linux?.namespaces ?? []).filter(({ type }) => type !== 'mount');
    const changes: Changes = { mounts: [], linux: { namespaces, maskedPaths: [], readonlyPaths: [] } };
    await expect(ran(at, ['true'], changes)).rejects.toThrow('linux.namespaces has none of the type mount: the program would run in the root of the host');
  });
});

describe('process', () => {
  it('user, umask, further groups and the home of the user', async () => {
    expect(
      await output('id; umask; echo $HOME; touch /tmp/f; stat -c "%u %a" /tmp/f', {
        ...withMounts({ destination: '/tmp', type: 'tmpfs', options: ['mode=1777'] }),
        process: { user: { uid: 1000, gid: 1000, additionalGids: [4, 20], umask: 0o77 } },
      }),
    ).toBe('uid=1000(user) gid=1000(user) groups=4,20\n0077\n/home/user\n1000 600\n');
  });

  it('a directory to start in, which is made where it is missing', async () => {
    expect(await output('pwd', { root: { path: ownRoot() }, process: { cwd: '/new/one' } })).toBe('/new/one\n');
  });

  it('capabilities, in all five sets', async () => {
    const given = ['CAP_CHOWN', 'CAP_KILL'];
    const status = await output('grep ^Cap /proc/self/status', {
      process: {
        capabilities: { bounding: [...given, 'CAP_SETUID'], permitted: given, effective: given, inheritable: given, ambient: given },
        user: { uid: 1000, gid: 1000 },
      },
    });
    expect(status.replaceAll('\t', '')).toBe(
      'CapInh:0000000000000021\nCapPrm:0000000000000021\nCapEff:0000000000000021\nCapBnd:00000000000000a1\nCapAmb:0000000000000021\n',
    );
    expect((await output('grep ^Cap /proc/self/status', { process: { capabilities: {} } })).match(/0{16}/g)).toHaveLength(5);
  });

  it('limits, priorities and the rest of what a program inherits', async () => {
    const line = 'ulimit -n; ulimit -c; cat /proc/self/oom_score_adj; uname -m; grep NoNewPrivs /proc/self/status; cut -d" " -f19 /proc/self/stat';
    const text = await output(line, {
      process: {
        rlimits: [
          { type: 'RLIMIT_NOFILE', soft: 100, hard: 200 },
          { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
        ],
        oomScoreAdj: 500,
        noNewPrivileges: true,
        scheduler: { policy: 'SCHED_OTHER', nice: 5 },
        ioPriority: { class: 'IOPRIO_CLASS_IDLE' },
      },
      linux: { personality: { domain: 'LINUX32' } },
    });
    expect(text).toMatch(/^100\n0\n500\n(i686|armv8l)\nNoNewPrivs:\t1\n5\n$/);
  });

  it('of a variable that is there twice the last value', async () => {
    expect(await output('cat /proc/$$/environ | tr "\\0" "\\n"', { process: { env: ['PATH=/bin', 'A=1', 'B=2', 'A=3', 'HOME=/'] } })).toBe(
      'PATH=/bin\nA=3\nB=2\nHOME=/\n',
    );
  });

  it('leaves /dev/null whose it is, for a user who has it as a stream', async () => {
    const owner = (): number => statSync('/dev/null').uid;
    const before = owner();
    await ran(at, ['true'], { process: { user: { uid: 1000, gid: 1000 } } });
    expect(owner()).toBe(before);
  });

  it('files of the caller', async () => {
    const { output: text } = await ran(at, ['sh', '-c', 'ls /proc/self/fd | wc -l; echo $LISTEN_FDS $LISTEN_PID'], {}, { preserveFds: 1, listenFds: 1 });
    expect(text).toBe('6\n1 1\n');
  });
});

describe('root and mounts', () => {
  it('binds, with their options', async () => {
    const from = source();
    const { mounts } = withMounts({ destination: '/tmp', type: 'bind', source: from, options: ['rbind', 'ro', 'nosuid', 'nodev', 'noexec', 'rprivate'] });
    const text = await output('cat /tmp/file; grep " /tmp " /proc/self/mountinfo; touch /tmp/x 2>&1 || true', { mounts: mounts ?? [] });
    expect(text).toMatch(/^from the host\n.* \/tmp ro,nosuid,nodev,noexec,relatime - .*\n.*Read-only file system\n$/s);
  });

  it('makes missing places, of files and of directories', async () => {
    const from = source();
    const rootfs = ownRoot();
    const text = await output('cat /a/b/file /a/c', {
      root: { path: rootfs },
      ...withMounts({ destination: '/a/b', source: from, options: ['bind'] }, { destination: '/a/c', source: join(from, 'file'), options: ['bind'] }),
    });
    expect(text).toBe('from the host\nfrom the host\n');
    expect(statSync(join(rootfs, 'a/c')).isFile()).toBe(true);
  });

  it('attributes of whole trees, propagation and access times', async () => {
    const from = source();
    const text = await output(
      'grep -E " /(tmp|root) " /proc/self/mountinfo',
      withMounts(
        { destination: '/tmp', source: from, options: ['rbind', 'rro', 'rnoexec', 'rshared', 'noatime'] },
        { destination: '/root', source: from, options: ['bind', 'unbindable', 'nosymfollow'] },
      ),
    );
    expect(text).toMatch(/ \/tmp ro,noexec,noatime shared:\d+ - /);
    expect(text).toMatch(/ \/root rw,.*nosymfollow unbindable - /);
  });

  it('a tmpfs has the mode of what it covers, its own options, and its content with tmpcopyup', async () => {
    const rootfs = ownRoot();
    mkdirSync(join(rootfs, 'data/sub'), { recursive: true });
    writeFileSync(join(rootfs, 'data/sub/file'), 'copied\n', { mode: 0o644 });
    chownSync(join(rootfs, 'data/sub/file'), 1000, 5);
    symlinkSync('/etc/shadow', join(rootfs, 'data/link'));
    const changes: Changes = {
      root: { path: rootfs, readonly: true },
      ...withMounts(
        { destination: '/data', type: 'tmpfs', options: ['tmpcopyup', 'size=1m', 'nodev'] },
        { destination: '/tmp', type: 'tmpfs' },
        { destination: '/root', type: 'tmpfs', options: ['ro', 'mode=700'] },
      ),
    };
    const text = await output(
      'stat -c %a /tmp /root; cat /data/sub/file; stat -c "%u %g %a" /data/sub/file; readlink /data/link; touch /data/new && echo writable; touch /root/x 2>&1 || true',
      changes,
    );
    expect(text).toMatch(/^1777\n700\ncopied\n1000 5 644\n\/etc\/shadow\nwritable\n.*Read-only/s);
    expect(await output('cat /data/sub/file', { ...changes, linux: users })).toBe('copied\n');
  });

  it('a tmpfs that covers nothing can be written by everybody, as the kernel has it', async () => {
    const { mounts } = withMounts({ destination: '/new', type: 'tmpfs' });
    expect(await output('stat -c %a /new', { root: { path: ownRoot() }, mounts: mounts ?? [] })).toBe('1777\n');
  });

  it('changes a mount that is there, which keeps what restricts it', async () => {
    const changes = withMounts({ destination: '/dev/shm', source: '/dev/shm', options: ['remount', 'bind', 'ro'] });
    expect(await output('grep -E " /dev/shm " /proc/self/mountinfo', changes)).toMatch(
      /^\d+ \d+ \S+ \/ \/dev\/shm ro,nosuid,nodev,noexec,relatime - tmpfs shm [^\n]*\n$/,
    );
  });

  it('an overlay of more layers than one option has room for, and of fewer', async (context) => {
    const layers = ['one', 'two', 'with:colon'].map((name) => {
      const directory = join(source(), name, 'x'.repeat(100));
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, `file-${name}`), '');
      return directory;
    });
    const overlay = (lower: readonly string[], ...more: readonly string[]) =>
      output(
        'ls /tmp; touch /tmp/new && echo written',
        withMounts({
          destination: '/tmp',
          type: 'overlay',
          source: 'overlay',
          options: [`lowerdir=${lower.map((layer) => layer.replaceAll(':', '\\:')).join(':')}`, ...more],
        }),
      );
    const [first = ''] = layers;
    const changes = source();
    mkdirSync(join(changes, 'work'));
    mkdirSync(join(changes, 'upper'));
    expect(await overlay([first], `upperdir=${changes}/upper`, `workdir=${changes}/work`)).toBe('file-one\nwritten\n');
    expect(existsSync(join(changes, 'upper/new'))).toBe(true);
    try {
      expect(await overlay(layers, `upperdir=${changes}/upper`, `workdir=${changes}/work`)).toMatch(/file-one.*file-two.*file-with:colon.*written/s);
    } catch (error) {
      if (String(error).includes('lowerdir+') && String(error).includes('EINVAL')) context.skip('layers one by one need Linux 6.8');
      throw error;
    }
  });

  it('mounts whose owners are mapped, by their own maps and by those of the container', async (context) => {
    const from = source();
    chownSync(join(from, 'file'), 0, 0);
    const maps = { uidMappings: [{ containerID: 0, hostID: 5000, size: 10 }], gidMappings: [{ containerID: 0, hostID: 6000, size: 10 }] };
    try {
      const text = await output('stat -c "%u %g" /tmp/file', withMounts({ destination: '/tmp', source: from, options: ['bind', 'idmap'], ...maps }));
      expect(text).toBe('5000 6000\n');
    } catch (error) {
      if (String(error).includes('EINVAL')) context.skip('the file system of the temporary directory cannot be id-mapped');
      throw error;
    }
    expect(
      await output('stat -c "%u %g" /tmp/file', { ...withMounts({ destination: '/tmp', source: from, options: ['rbind', 'ridmap'] }), linux: users }),
    ).toBe('0 0\n');
  });

  it('what is masked, what is read-only, and the settings of the kernel', async () => {
    const line =
      'cat /proc/keys | wc -c; ls /proc/acpi | wc -l; (echo x > /proc/sys/kernel/hostname) 2>&1; cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/domainname; hostname';
    const text = await output(`${line}; true`, {
      hostname: 'box',
      domainname: 'example',
      linux: { sysctl: { 'net.ipv4.ip_forward': '1' }, maskedPaths: ['/proc/keys', '/proc/acpi', '/nowhere'], readonlyPaths: ['/proc/sys', '/nowhere'] },
    });
    expect(text).toMatch(/^0\n0\n.*Read-only file system\n1\nexample\nbox\n$/s);
  });

  it('refuses what would fake /proc', async () => {
    for (const mount of [
      { destination: '/proc', type: 'tmpfs' },
      { destination: '/proc/self', source: source(), options: ['bind'] },
      { destination: '/', type: 'tmpfs' },
    ] satisfies Mount[])
      await expect(ran(at, ['true'], withMounts(mount))).rejects.toThrow(/proc|root/);
    const rootfs = ownRoot();
    symlinkSync('/proc/1', join(rootfs, 'link'));
    await expect(ran(at, ['true'], { root: { path: rootfs }, ...withMounts({ destination: '/link', source: source(), options: ['bind'] }) })).rejects.toThrow(
      'EPERM',
    );
    for (const name of ['proc', 'sys']) {
      const hostile = ownRoot();
      rmSync(join(hostile, name), { recursive: true });
      symlinkSync('/tmp', join(hostile, name));
      await expect(ran(at, ['true'], { root: { path: hostile } })).rejects.toThrow('ELOOP');
    }
  });

  it.each(['/canary', '../../canary', '/nowhere/at/all'])('leads nowhere by a /dev that is a link to %s', async (target) => {
    const hostile = ownRoot();
    rmSync(join(hostile, 'dev'), { recursive: true });
    symlinkSync(target, join(hostile, 'dev'));
    const before = readFileSync('/proc/self/mountinfo', 'latin1');
    await ran(at, ['true'], { root: { path: hostile } }).catch(() => undefined);
    await ran(at, ['true'], { root: { path: hostile }, mounts: usual.filter(({ destination }) => !destination.startsWith('/dev')) }).catch(() => undefined);
    expect(readFileSync('/proc/self/mountinfo', 'latin1')).toBe(before);
    expect(() => statSync('/canary')).toThrow('ENOENT');
  });

  it('leaves what is mounted on the host as it is, whatever is shared', async () => {
    const before = readFileSync('/proc/self/mountinfo', 'latin1');
    for (const rootfsPropagation of ['shared', 'slave', 'private', 'unbindable', 'rshared', 'rslave', 'rprivate'] as const)
      expect(
        await output('grep -c . /proc/self/mountinfo >/dev/null; grep " / / " /proc/self/mountinfo || grep " / " /proc/self/mountinfo', {
          linux: { rootfsPropagation },
        }),
      ).toContain(' / ');
    expect(readFileSync('/proc/self/mountinfo', 'latin1')).toBe(before);
  });

  it('a mount at a link of the image that leads to nothing is made where it leads, and nowhere else', async () => {
    const rootfs = ownRoot();
    symlinkSync('../run/./resolve/stub', join(rootfs, 'etc/resolv.conf'));
    symlinkSync('/run', join(rootfs, 'var'));
    symlinkSync('../../../../../../tmp/outside', join(rootfs, 'data'));
    symlinkSync('loop', join(rootfs, 'loop'));
    const at = (destination: string): Mount => ({ destination, type: 'bind', source: join(source(), 'file'), options: ['bind'] });
    const mounts = [...usual, at('/etc/resolv.conf'), at('/data'), { destination: '/var/own', type: 'tmpfs' }];
    expect(await output('cat /etc/resolv.conf /run/resolve/stub /tmp/outside; grep -c " /run/own " /proc/mounts', { root: { path: rootfs }, mounts })).toBe(
      'from the host\nfrom the host\nfrom the host\n1\n',
    );
    expect(existsSync('/tmp/outside')).toBe(false);
    expect(statSync(join(rootfs, 'tmp/outside')).size).toBe(0);
    await expect(output('true', { root: { path: rootfs }, mounts: [...usual, at('/loop')] })).rejects.toThrow('ELOOP');
    symlinkSync('/proc/self/attr/exec', join(rootfs, 'proc-link'));
    await expect(output('true', { root: { path: rootfs }, mounts: [...usual, at('/proc-link')] })).rejects.toThrow('leads into proc');
  });

  it('a link of the image that a mount before covers leads nowhere', async () => {
    const rootfs = ownRoot();
    symlinkSync('/run/shm', join(rootfs, 'dev/shm'));
    const mounts = defaultConfig().mounts ?? [];
    expect(await output('grep -c " /dev/shm " /proc/mounts; ls /run; true', { root: { path: rootfs }, mounts })).toBe(
      '1\nls: /run: No such file or directory\n',
    );
  });
});

/** A user namespace in which root is another on the host. */
const users = {
  namespaces: [...(defaultConfig().linux?.namespaces ?? []), { type: 'user' as const }],
  uidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
  gidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
};

describe('linux', () => {
  it('a user namespace with maps', async () => {
    const text = await output('cat /proc/self/uid_map; id -u; ls -la /dev/null | cut -c1-10; echo x > /dev/null; id -g', { linux: users });
    expect(text.replaceAll(/ +/g, ' ')).toBe(' 0 100000 65536\n0\ncrw-rw-rw-\n0\n');
  });

  it('a limit of processes that counts those of the container alone', async () => {
    // Where there are groups of v1 alone, the process before the first one is counted for a moment.
    const least = readLayout().hierarchies.some(({ version }) => version === 2) ? 1 : 2;
    for (const limit of least === 1 ? [0, 1] : [2]) expect(await output('echo alone', { linux: { resources: { pids: { limit } } } })).toBe('alone\n');
  });

  it('a group of v2 that belongs to the user of the program, where it is mounted to be written', async (context) => {
    if (!readLayout().hierarchies.some(({ version }) => version === 2)) return context.skip('no cgroup2 is mounted');
    const ids = [{ containerID: 0, hostID: 100_000, size: 2000 }];
    const namespaces = [...(defaultConfig().linux?.namespaces ?? []), { type: 'user' as const }];
    const line = 'stat -c "%u %n" . cgroup.procs cgroup.type; mkdir own 2>&1; ls -d own';
    const shown = (options: readonly string[]): Promise<{ output: string }> =>
      ran(at, ['sh', '-c', line], {
        process: { user: { uid: 1000, gid: 1000 }, cwd: '/sys/fs/cgroup' },
        mounts: [...usual.filter(({ destination }) => destination !== '/sys/fs/cgroup'), { destination: '/sys/fs/cgroup', type: 'cgroup2', options }],
        linux: { namespaces, uidMappings: ids, gidMappings: ids },
      });
    expect((await shown([])).output).toBe('1000 .\n1000 cgroup.procs\n65534 cgroup.type\nown\n');
    expect((await shown(['ro'])).output).toMatch(/^65534 \.\n65534 cgroup.procs\n65534 cgroup.type\nmkdir: .*\n/);
  });

  it('namespaces of others, by their files', async () => {
    const { child } = await created(at, ['sleep', '100']);
    const linux = {
      namespaces: [
        { type: 'mount' as const },
        { type: 'network' as const, path: `/proc/${child.pid}/ns/net` },
        { type: 'pid' as const, path: `/proc/${child.pid}/ns/pid` },
        { type: 'ipc' as const },
      ],
    };
    const { mounts } = { mounts: usual.filter(({ type }) => type !== 'cgroup') };
    const text = await output('for n in net pid; do readlink /proc/self/ns/$n; done', { hostname: '', mounts, linux });
    expect(text).toBe(`${readlinkSync(`/proc/${child.pid}/ns/net`)}\n${readlinkSync(`/proc/${child.pid}/ns/pid`)}\n`);
  });

  it('clocks of its own', async () => {
    const namespaces = [...(defaultConfig().linux?.namespaces ?? []), { type: 'time' as const }];
    const uptime = Number((await output('cut -d. -f1 /proc/uptime', { linux: { namespaces, timeOffsets: { boottime: { secs: 1_000_000 } } } })).trim());
    expect(uptime).toBeGreaterThan(1_000_000);
  });

  it('devices', async () => {
    const devices = [
      { type: 'c' as const, path: '/dev/fuse-like', major: 10, minor: 229, fileMode: 0o600, uid: 1000, gid: 5 },
      { type: 'c' as const, path: '/dev/net/tun', major: 10, minor: 200, fileMode: 0o20666 },
      { type: 'p' as const, path: '/dev/pipe' },
    ];
    const text = await output(
      'stat -c "%F %t,%T %a %u:%g" /dev/fuse-like /dev/net/tun /dev/pipe /dev/null; for n in fd stdin ptmx; do readlink /dev/$n; done',
      { linux: { devices } },
    );
    expect(text).toBe(
      'character special file a,e5 600 1000:5\ncharacter special file a,c8 666 0:0\nfifo 0,0 666 0:0\ncharacter special file 1,3 666 0:0\n/proc/self/fd\n/proc/self/fd/0\npts/ptmx\n',
    );
  });

  it('a cgroup in every hierarchy, with limits, which it sees as its own', async () => {
    const resources = {
      memory: { limit: 64 * MiB },
      pids: { limit: 33 },
      cpu: { shares: 512, quota: 50_000, period: 100_000 },
      devices: [{ allow: false, access: 'rwm' }],
    };
    const text = await output(
      'cat /proc/self/cgroup; ls /sys/fs/cgroup; cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null; echo x > /dev/null && echo may',
      { linux: { resources } },
    );
    expect(text).toContain('33\n');
    expect(text).toContain('may\n');
    const { hierarchies } = readLayout();
    expect(text.match(/:\/$/gm)).toHaveLength(hierarchies.length);
  });

  it('no devices but those that every container has, where nothing is said of them', async () => {
    const capabilities = Object.fromEntries(['bounding', 'permitted', 'effective'].map((set) => [set, ['CAP_MKNOD']]));
    const line = 'mknod /dev/shm/kmsg c 1 11; head -c0 /dev/shm/kmsg 2>&1; head -c0 /dev/zero && echo zero';
    const { mounts } = { mounts: usual.map((mount) => ({ ...mount, options: (mount.options ?? []).filter((option) => option !== 'nodev') })) };
    expect(await output(line, { mounts, process: { capabilities }, linux: { resources: {} } })).toMatch(/Operation not permitted\nzero\n$/);
  });

  describe.each<[string, NonNullable<LinuxResources['devices']>]>([
    ['that are allowed alone', [{ allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' }]],
    ['of which one is denied', [{ allow: false, type: 'c', major: 1, minor: 1, access: 'rwm' }]],
    ['of another kind that are allowed', [{ allow: true, type: 'b', access: 'rwm' }]],
  ])('devices %s', (_what, rules) => {
    const mounts = usual.map((mount) => ({ ...mount, options: (mount.options ?? []).filter((option) => option !== 'nodev') }));
    const capabilities = Object.fromEntries(['bounding', 'permitted', 'effective'].map((set) => [set, ['CAP_MKNOD']]));
    /** No driver has it: who may open it is told so. */
    const local = { allow: true, type: 'c' as const, major: 240, minor: 77, access: 'rwm' };
    const line = 'mknod /dev/shm/local c 240 77; head -c0 /dev/shm/local 2>&1; rm /dev/shm/local; head -c0 /dev/zero && echo zero';

    it('are all others denied', async () => {
      expect(await output(line, { mounts, process: { capabilities }, linux: { resources: { devices: rules } } })).toMatch(/Operation not permitted\nzero\n$/);
      expect(await output(line, { mounts, process: { capabilities }, linux: { resources: { devices: [...rules, local] } } })).toMatch(
        /No such device or address\nzero\n$/,
      );
    });

    it('are all others denied by an update, which without rules changes none', async () => {
      const { id, root } = await created(at, ['sleep', '60'], { mounts, process: { capabilities }, linux: { resources: { devices: [{ allow: true }] } } });
      await start(id, root);
      const look = async (): Promise<string> => {
        const said = new Output();
        const child = await exec(id, (own) => ({ ...own, args: ['sh', '-c', line] }), { ...root, stdio: ['ignore', said.fd, said.fd] });
        await child.exited;
        return said.text;
      };
      expect(await look()).toMatch(/No such device or address\nzero\n$/);
      await update(id, { devices: rules }, root);
      expect(await look()).toMatch(/Operation not permitted\nzero\n$/);
      await update(id, { devices: [] }, root);
      expect(await look()).toMatch(/Operation not permitted\nzero\n$/);
    });
  });

  it('the same without a namespace for it: nothing of the others', async () => {
    const namespaces = (defaultConfig().linux?.namespaces ?? []).filter(({ type }) => type !== 'cgroup');
    const text = await output('cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null; cat /proc/self/cgroup', {
      linux: { namespaces, resources: { pids: { limit: 34 } } },
    });
    expect(text).toMatch(/^34\n/);
    expect(text).toContain(at.cgroup);
  });

  it('a filter of system calls, with and without new privileges', async () => {
    const seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW' as const,
      architectures: ['SCMP_ARCH_X86_64' as const, 'SCMP_ARCH_AARCH64' as const],
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' as const, errnoRet: 99 }],
    };
    for (const noNewPrivileges of [true, false])
      expect(await output('grep Seccomp: /proc/self/status; mkdir /tmp/x 2>&1; true', { process: { noNewPrivileges }, linux: { seccomp } })).toMatch(
        /^Seccomp:\t2\n.*Cannot assign requested address\n$/s,
      );
    const denies = { ...seccomp, syscalls: [{ names: ['execve'], action: 'SCMP_ACT_ERRNO' as const }] };
    await expect(ran(at, ['true'], { linux: { seccomp: denies } })).rejects.toThrow('linux.seccomp answers execve with EPERM');
  });

  it('what the table of fields says is refused is an error that names the field', async () => {
    const refused: Readonly<Record<string, Partial<Linux>>> = {
      'linux.intelRdt': { intelRdt: { closID: 'x' } },
      'linux.personality.flags': { personality: { domain: 'LINUX', flags: ['x'] } },
      'linux.resources.blockIO.leafWeight': { resources: { blockIO: { leafWeight: 10 } } },
      'linux.resources.blockIO.weightDevice[].leafWeight': { resources: { blockIO: { weightDevice: [{ major: 1, minor: 1, leafWeight: 10 }] } } },
    };
    const listed = supportedFields().filter(({ support, path }) => support === 'refused' && !path.startsWith('linux.intelRdt.'));
    expect(listed.map(({ path }) => path).toSorted()).toEqual(Object.keys(refused).toSorted());
    for (const [path, linux] of Object.entries(refused)) await expect(ran(at, ['true'], { linux })).rejects.toThrow(path.replace('[]', '[0]'));
  });

  it('a root that a ramdisk would have', async () => {
    const { output: text } = await ran(at, ['sh', '-c', 'ls /; cat /proc/self/mountinfo | grep -c " / "'], {}, { pivot: false });
    expect(text).toContain('bin\ndev\netc');
  });
});

it('is created without a cgroup, if that is asked for, and is shown those that it is in', async () => {
  const id = newId();
  const child = await create(bundleOf(at, configOf(at, ['sh', '-c', 'test -e /sys/fs/cgroup/cgroup.controllers || test -d /sys/fs/cgroup/memory'])), id, {
    root: at.root,
    cgroup: false,
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  await start(id, { root: at.root });
  expect((await child.exited).code).toBe(0);
  await remove(id, { root: at.root });
});
