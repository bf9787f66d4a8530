import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { openPipe } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { bin, ctr, shell, startCtr } from './ctr.js';
import { makeRootfs, noRootfs } from './rootfs.js';

/** A program that goes on whatever comes; it says so when it is ready. */
const stubborn = ['bash', '-c', `trap 'echo no' TERM INT; echo ready; while :; do sleep 0.05; done`];

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

describe('signals', () => {
  it.each<[NodeJS.Signals, number]>([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ])('%s ends a program that does not handle it', async (signal, code) => {
    // Not by way of a shell: it has a handler, also right before it becomes something else.
    const running = startCtr(['run', 'tail', '-f', '/etc/hostname']);
    await running.until('container');
    running.kill(signal);
    expect(await running.ended).toMatchObject({ code, signal: null, stderr: '' });
  });

  it.each<NodeJS.Signals>(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'])(
    '%s reaches a program that handles it',
    async (signal) => {
      const running = startCtr(['run', 'bash', '-c', `trap 'echo got; exit 5' ${signal}; echo ready; while :; do sleep 0.05; done`]);
      await running.until('ready');
      running.kill(signal);
      expect(await running.ended).toMatchObject({ code: 5, stdout: 'ready\ngot\n' });
    },
  );

  it('a second SIGTERM ends any', async () => {
    const running = startCtr(['run', ...stubborn]);
    await running.until('ready');
    running.kill('SIGTERM');
    await running.until('no');
    running.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 143 });
  });

  it('reach the program by way of an init', async () => {
    const running = startCtr(['run', '--init', 'sh', '-c', 'echo ready; exec sleep 60']);
    await running.until('ready');
    running.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 143 });
  });

  it('SIGKILL of ctr ends the container', async () => {
    const running = startCtr(['run', '--name', 'ctr-test-killed', '--cgroupns', 'host', 'sh', '-c', 'cat /proc/self/cgroup; echo ready; exec sleep 60']);
    await running.until('ready');
    running.kill('SIGKILL');
    const { stdout, signal } = await running.ended;
    expect(signal).toBe('SIGKILL');
    const group = /:pids:(.*)/.exec(stdout)?.[1] ?? '';
    expect(group).toMatch(/ctr-test-killed/);
    // What is left of it goes with the next run, or by hand.
    expect(await ctr(['gc'])).toMatchObject({ code: 0, stdout: expect.stringContaining(`${group}\n`) });
    expect(await ctr(['gc'])).toMatchObject({ code: 0, stdout: 'nothing to remove\n' });
  });
});

describe('pipes', () => {
  it.each([
    ['a program', 'yes'],
    ['a shell that would go on', `sh -c 'while :; do echo y; done'`],
    ['a child of the first process', `sh -c 'yes; true'`],
    ['an init', '--init yes'],
  ])('%s that is not read any more ends with 141, and says nothing', async (_, command) => {
    expect(await shell(`ctr run ${command} | head -1; echo \${PIPESTATUS[0]}`)).toMatchObject({ stdout: 'y\n141\n', stderr: '' });
  });

  it('leave it to a program that handles SIGPIPE', async () => {
    const { stdout } = await shell(`ctr run bash -c 'trap "" PIPE; while echo y; do :; done 2>/dev/null; exit 3' | head -1; echo \${PIPESTATUS[0]}`);
    expect(stdout).toBe('y\n3\n');
  });

  it('lose nothing of a large output', async () => {
    expect(await shell('ctr run head -c 50000000 /dev/zero | (sleep 0.3; wc -c)')).toMatchObject({ stdout: '50000000\n' });
  });

  it('are not there with -T', async () => {
    expect(await shell('ctr run -T readlink /proc/self/fd/1 | cat; readlink /proc/self/fd/1 | cat')).toMatchObject({
      stdout: expect.stringMatching(/^pipe:\[\d+\]\npipe:/),
    });
  });

  it.each([
    ['a socket', 'pipe'],
    ['a pipe', openPipe('unread').write.number],
  ] as const)('do not hold up the end by a signal, if nobody reads %s', async (_, stdout) => {
    const child = spawn(process.execPath, [bin, 'run', 'sh', '-c', 'echo ready >&2; exec yes'], { stdio: ['ignore', stdout, 'pipe'] });
    const ended = once(child, 'exit');
    await once(child.stderr as NonNullable<typeof child.stderr>, 'data');
    child.kill('SIGTERM');
    expect(await ended).toEqual([143, null]);
    child.stdout?.destroy();
  });

  it('closed before: stdin, stdout', async () => {
    expect(await shell('ctr run cat <&-; echo $?')).toMatchObject({ stdout: '0\n', stderr: '' });
    expect(await shell('ctr run sh -c "exit 4" >&-; echo $?')).toMatchObject({ stdout: '4\n', stderr: '' });
  });
});

describe('what is left', () => {
  it('is nothing, of runs that end in any way', async () => {
    const before = leftovers();
    await Promise.all([ctr(['run', 'true']), ctr(['run', 'no-such-program']), ctr(['run', '--timeout', '100ms', '-m', '64m', '--cpus', '1', 'sleep', '60'])]);
    expect(leftovers()).toEqual(before);
  });

  it('is nothing of a dry run', async () => {
    const before = leftovers();
    const text = await ctr(['run', '--dry-run', '-m', '64m', '-v', '/tmp:/host', 'true']);
    expect(text).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/pivot_root/) });
    const json = await ctr(['run', '--dry-run', '--json', '-m', '64m', '-v', '/tmp:/host', 'true']);
    const steps = JSON.parse(json.stdout) as { index: number; call: string; args: string[]; purpose: string }[];
    expect(steps.map(({ index }) => index)).toEqual(steps.map((_, i) => i + 1));
    expect(steps).toHaveLength(text.stdout.trimEnd().split('\n').length);
    expect(steps.find(({ call }) => call === 'pivot_root')).toMatchObject({ args: ['"."', '"."'], purpose: expect.any(String) });
    expect(leftovers()).toEqual(before);
  });
});

/** Mounts of this process, and the groups of all containers. */
function leftovers(): unknown {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  const groups = mounts
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(' ')[4] ?? '')
    .flatMap((mount) => {
      try {
        return readdirSync(join(mount, 'ctr'), { withFileTypes: true })
          .filter((entry) => entry.isDirectory() && entry.name.includes(`.${process.pid}.`))
          .map(({ name }) => join(mount, name));
      } catch {
        return [];
      }
    });
  return { mounts, groups };
}
