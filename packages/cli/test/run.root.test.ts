import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { ctr, shell, startCtr } from './ctr.js';
import { makeRootfs, noRootfs } from './rootfs.js';

describe('exit codes', () => {
  it.each<[number, string[]]>([
    [0, ['true']],
    [1, ['false']],
    [7, ['sh', '-c', 'exit 7']],
    [137, ['--pid', 'host', 'sh', '-c', 'kill -KILL $$']],
    [143, ['--init', 'sh', '-c', 'kill -TERM $$']],
    [124, ['--timeout', '200ms', 'sleep', '60']],
  ])('%d for %j', async (code, args) => {
    expect(await ctr(['run', ...args])).toMatchObject({ code, signal: null, stdout: '', stderr: '' });
  });
});

describe('the container', () => {
  it('has its own host name, pid 1, and the caller’s streams', async () => {
    expect(await ctr(['run', 'sh', '-c', 'echo $$ $(hostname); cat; echo err >&2'], { input: 'in\n' })).toMatchObject({
      code: 0,
      stdout: '1 container\nin\n',
      stderr: 'err\n',
    });
  });

  it('keeps the order of lines of both streams in one pipe', async () => {
    expect(await shell(`ctr run sh -c 'for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done' 2>&1 | cat`)).toMatchObject({
      stdout: [1, 2, 3, 4, 5].map((i) => `out ${i}\nerr ${i}\n`).join(''),
    });
  });

  it('has the environment it is given and nothing of the caller’s', async () => {
    const file = join(makeRootfs(), 'env');
    writeFileSync(file, '# a comment\n\nA=file\nB=file\nFROM_CALLER\nNOT_THERE\n');
    const { stdout } = await ctr(['run', '-e', 'A=1', '--env-file', file, '-e', 'C', 'env'], { env: { FROM_CALLER: 'x', C: 'c', SECRET: 's' } });
    expect(stdout.split('\n').filter((line) => !/^(PATH|HOME|HOSTNAME)=/.test(line))).toEqual(['A=1', 'B=file', 'FROM_CALLER=x', 'C=c', '']);
  });

  it.skipIf(noRootfs)('has the home that its own /etc/passwd names, unless it is given another', async () => {
    const rootfs = makeRootfs();
    writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\nweb:x:77:77::/home/web:/bin/sh\nnone:x:78:78:::\n');
    const home = async (...args: string[]): Promise<string> => (await ctr(['run', '--rootfs', rootfs, ...args, 'sh', '-c', 'echo $HOME'])).stdout.trim();
    expect([await home('-u', 'web'), await home('-u', '77:77'), await home('-u', '78'), await home('-u', '79'), await home()]).toEqual([
      '/home/web',
      '/home/web',
      '/',
      '/',
      '/',
    ]);
    expect(await home('-u', 'web', '-e', 'HOME=/tmp')).toBe('/tmp');
    rmSync(join(rootfs, 'etc/passwd'));
    expect(await home()).toBe('/root');
    mkdirSync(join(rootfs, 'etc/passwd'));
    expect(await home()).toBe('/root');
  });

  it('shows the deeper of two volumes, whatever their order', async () => {
    const directory = makeRootfs();
    mkdirSync(join(directory, 'tmp/y'));
    writeFileSync(join(directory, 'etc/f'), 'deep\n');
    const volumes = [
      ['-v', `${directory}/etc:/x/y`],
      ['-v', `${directory}/tmp:/x`],
    ];
    for (const args of [volumes, volumes.toReversed()])
      expect(await ctr(['run', ...args.flat(), 'cat', '/x/y/f'])).toMatchObject({ stdout: 'deep\n', stderr: '' });
    expect(await ctr(['run', '--tmpfs', '/x/y', '-v', `${directory}:/x`, 'ls', '/x/y', '/x/etc'])).toMatchObject({ code: 0, stdout: '/x/etc:\nf\n\n/x/y:\n' });
  });

  it("has the host's names with the host's network, and its own", async () => {
    const script = `hosts=$(mktemp); chmod 644 $hosts; printf '127.0.0.1 localhost\n127.9.9.9 own.example' > $hosts; export -f ctr
      unshare -m --propagation private bash -c "mount --bind $hosts /etc/hosts; ctr run --net host --hostname box cat /etc/hosts; ctr run cat /etc/hosts; chmod 600 $hosts; ctr run --net host cat /etc/hosts"; rm $hosts`;
    const own = (name: string): string => `127.0.0.1 localhost ${name}\n::1 localhost ip6-localhost ip6-loopback\n`;
    expect(await shell(script)).toMatchObject({
      stdout: `127.0.0.1 localhost\n127.9.9.9 own.example\n127.0.0.1 box\n${own('container')}${own('container')}`,
      stderr: '',
    });
  });

  it('has the host name of -h, as docker has it', async () => {
    expect(await ctr(['run', '-h', 'box', 'hostname'])).toMatchObject({ stdout: 'box\n' });
    expect(await ctr(['run', '-h'])).toMatchObject({ code: 125, stderr: 'ctr: -h: a value is missing: -h NAME; --help tells of all options\n' });
  });

  it('takes a user by name, and a directory to start in', async () => {
    expect(await ctr(['run', '-u', 'nobody', '-w', '/tmp', 'sh', '-c', 'id -u; pwd'])).toMatchObject({ code: 0, stdout: '65534\n/tmp\n' });
    expect(await ctr(['run', '-u', 'nobody-at-all', 'true'])).toMatchObject({
      code: 125,
      stderr: 'ctr: user "nobody-at-all": there is no such name in the /etc/passwd of the container\n',
    });
  });

  it.skipIf(noRootfs)('has a root file system of its own', async () => {
    const rootfs = makeRootfs();
    expect(await ctr(['run', '--rootfs', rootfs, 'sh', '-c', 'ls /; touch /here'])).toMatchObject({ code: 0, stdout: 'bin\ndev\netc\nproc\nsys\ntmp\n' });
    expect(readdirSync(rootfs)).toContain('here');
    expect(await ctr(['run', '--rootfs', rootfs, '--read-only', 'touch', '/there'])).toMatchObject({ code: 1 });
    expect(readdirSync(rootfs)).not.toContain('there');
  });

  it('has its mounts', async () => {
    const directory = makeRootfs();
    writeFileSync(join(directory, 'file'), 'of the host\n');
    const script = 'cat /src/file; touch /src/no 2>/dev/null || echo read-only; grep -c " /scratch .*size=1024k" /proc/self/mountinfo';
    expect(await ctr(['run', '-v', '.:/src:ro', '--tmpfs', '/scratch:size=1m', 'sh', '-c', script], { cwd: directory })).toMatchObject({
      stdout: 'of the host\nread-only\n1\n',
    });
  });

  it('is limited', async () => {
    const { stdout } = await ctr(['run', '--pids-limit', '20', '-m', '64m', 'cat', '/proc/self/cgroup']);
    const pids = /:pids:(.*)/.exec(stdout)?.[1] ?? /^0::(.*)/m.exec(stdout)?.[1];
    expect(pids).toBeDefined();
    const { stdout: hosts } = await ctr(['run', '--stats', '-m', '32m', '--cgroupns', 'host', 'sh', '-c', 'cat /proc/self/cgroup']);
    expect(hosts).toMatch(/ctr\//);
  });

  it('says that the memory limit was the end of it', async () => {
    expect(await ctr(['run', '-m', '16m', 'tail', '/dev/zero'])).toMatchObject({
      code: 137,
      stderr: 'ctr: the kernel has killed a process of the container, which was at its memory limit\n',
    });
  });

  it('says at the end what it used', async () => {
    expect((await ctr(['run', '--stats', 'sh', '-c', 'sleep 0.01 & wait'])).stderr).toMatch(
      /^wall [\d.]+ ms {2}cpu [\d.]+ ms {2}memory [\d.]+ [KM]iB {2}pids \d+ {2}oom no( {2}\(by rusage\))?\n$/,
    );
  });
});

describe('SIGKILL of ctr', () => {
  it('ends the container, and what is left goes', async () => {
    const running = startCtr(['run', '--name', 'ctr-test-killed', '--cgroupns', 'host', 'sh', '-c', 'cat /proc/self/cgroup; echo ready; exec sleep 60']);
    await running.until('ready');
    running.kill('SIGKILL');
    const { stdout, signal } = await running.ended;
    expect(signal).toBe('SIGKILL');
    const group = /:pids:(.*)/.exec(stdout)?.[1] ?? '';
    expect(group).toMatch(/ctr-test-killed/);
    // What is left of it goes with the next run, which another test may have been, or by hand.
    expect(await ctr(['gc'])).toMatchObject({ code: 0, stderr: '' });
    expect(cgroupMounts().filter((mount) => existsSync(join(mount, group)))).toEqual([]);
  });

  it('leaves what gc removes below another group, where it is told of that, and top shows what runs there', async () => {
    const parent = `/ctr-test-gc-${process.pid}`;
    const running = startCtr(['run', '--cgroup-parent', parent, '--name', 'elsewhere', 'sh', '-c', 'echo ready; exec sleep 60']);
    try {
      await running.until('ready');
      expect((await ctr(['top', '--once', '--json', '--cgroup-parent', parent])).stdout).toContain('"name":"elsewhere"');
      running.kill('SIGKILL');
      await running.ended;
      const groups = (): string[] =>
        cgroupMounts().flatMap((mount) => (existsSync(mount + parent) ? readdirSync(mount + parent) : []).filter((name) => name.startsWith('elsewhere.')));
      expect(groups().length).toBeGreaterThan(0);
      expect((await ctr(['gc'])).stdout).not.toContain(parent);
      expect(groups().length).toBeGreaterThan(0);
      expect(await ctr(['gc', '--cgroup-parent', parent])).toMatchObject({ code: 0, stdout: expect.stringContaining(`${parent}/elsewhere.`), stderr: '' });
      expect(groups()).toEqual([]);
    } finally {
      for (const mount of cgroupMounts()) if (existsSync(mount + parent)) rmdirSync(mount + parent);
    }
  });
});

describe('what is left', () => {
  it('is nothing, of runs that end in any way', async () => {
    const before = leftovers();
    const run = (name: string, ...args: string[]): Promise<unknown> => ctr(['run', '--name', `ctr-test-left-${name}`, ...args]);
    await Promise.all([run('a', 'true'), run('b', 'no-such-program'), run('c', '--timeout', '100ms', '-m', '64m', '--cpus', '1', 'sleep', '60')]);
    expect(leftovers()).toEqual(before);
  });

  it('is nothing of a dry run', async () => {
    const before = leftovers();
    const text = await ctr(['run', '--name', 'ctr-test-left', '--dry-run', '-m', '64m', '-v', '/tmp:/host', 'true']);
    expect(text).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/pivot_root/) });
    const json = await ctr(['run', '--name', 'ctr-test-left', '--dry-run', '--json', '-m', '64m', '-v', '/tmp:/host', 'true']);
    const steps = JSON.parse(json.stdout) as { index: number; call: string; args: string[]; purpose: string }[];
    expect(steps.map(({ index }) => index)).toEqual(steps.map((_, i) => i + 1));
    expect(steps).toHaveLength(text.stdout.trimEnd().split('\n').length);
    expect(steps.find(({ call }) => call === 'pivot_root')).toMatchObject({ args: ['"."', '"."'], purpose: expect.any(String) });
    expect(leftovers()).toEqual(before);
  });
});

/** Mounts of this process, and the groups of the containers named so. */
function leftovers(): unknown {
  const groups = cgroupMounts().flatMap((mount) => {
    const above = join(mount, 'ctr');
    return existsSync(above) ? readdirSync(above).filter((name) => name.startsWith('ctr-test-left')) : [];
  });
  return { mounts: readFileSync('/proc/self/mountinfo', 'utf8'), groups };
}

function cgroupMounts(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(' ')[4] ?? '');
}
