import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { standalone, type ContainerOptions } from '@ctr/runtime';
import { collectGarbage } from '@ctr/cgroups';

import { childrenOf, programOf } from './children.js';
import { image, sharedImage, temporary } from './image.js';
import { defaultGroups, groups, watchForLeaks } from './leaks.js';
import { ended } from './node-program.js';

watchForLeaks();
const shared = sharedImage();

/** A container as an executable; its path. */
function compiled(command: [string, ...string[]], options: ContainerOptions = {}): string {
  const path = join(temporary(), 'container');
  writeFileSync(path, standalone(command, { rootfs: shared.path, ...options }), { mode: 0o755 });
  return path;
}

/** Starts it with no environment, and nothing of Node in it. */
function launched(path: string, stdio: StdioOptions = ['ignore', 'pipe', 'pipe']): ChildProcess {
  return spawn(path, [], { cwd: '/', env: {}, stdio });
}

/** Runs a script in an executable container to its end; nothing is left of its group then. */
async function run(script: string, options: ContainerOptions = {}): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = launched(compiled(['sh', '-c', script], options));
  const { code, signal, stdout, stderr } = await ended(child);
  expect(signal).toBeNull();
  expect(groupsOfLauncher(child.pid)).toEqual([]);
  return { code, stdout, stderr };
}

function groupsOfLauncher(pid: number | undefined): string[] {
  return groups().filter((directory) => directory.endsWith(`.compiled.${pid}`));
}

function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(2);
}

describe('an executable container', () => {
  it('has less than 13.5 KB, also with limits', () => {
    for (const options of [{}, { rootfs: shared.path, init: true }])
      expect(standalone(['true'], { ...options, limits: { pids: 20, memoryBytes: 64 * 2 ** 20, cpuCores: 0.5 } }).length).toBeLessThan(13.5 * 1024);
  });

  it('runs as one that is started here, without Node', async () => {
    expect(
      await run('echo $$ $(hostname) $(ls /); id -u; env | sort; ls /proc/self/fd | wc -l; cat /proc/self/cgroup | grep -c ctr; true', {
        hostname: 'box',
        limits: { pids: 20 },
      }),
    ).toEqual({
      code: 0,
      stdout:
        '1 box bin dev etc proc sys tmp\n0\nHOME=/root\nHOSTNAME=box\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nPWD=/\nSHLVL=1\n4\n0\n',
      stderr: '',
    });
  });

  it("has the host's userland where no root is named", async () => {
    const path = join(temporary(), 'container');
    writeFileSync(path, standalone(['bash', '-c', 'echo $BASH; ls /home']), { mode: 0o755 });
    expect(await ended(launched(path))).toMatchObject({ code: 0, stdout: expect.stringMatching(/^(\/usr)?\/bin\/bash\n$/) as string, stderr: '' });
  });

  it('ends with the exit code of the program, or as a shell does for a signal', async () => {
    for (const code of [0, 1, 42, 255]) expect((await run(`exit ${code}`)).code).toBe(code);
    expect((await run('kill -TERM $$', { init: true })).code).toBe(143);
    // The kernel does not let the first process of a pid namespace kill itself.
    expect((await run('kill -TERM $$; kill -KILL $$; echo alive')).stdout).toBe('alive\n');
    const child = launched(compiled(['sh', '-c', 'echo ready; exec sleep 1000']));
    await once(child.stdout!, 'data');
    process.kill(programOf(child.pid!), 'SIGKILL');
    expect((await ended(child)).code).toBe(137);
  });

  it('says what fails, and ends as docker does', async () => {
    const fails = async (command: [string, ...string[]], options: ContainerOptions = {}): Promise<unknown> => {
      const child = launched(compiled(command, options));
      const { code, stdout, stderr } = await ended(child);
      expect(groupsOfLauncher(child.pid)).toEqual([]);
      expect(stdout).toBe('');
      return [code, stderr];
    };
    expect(await fails(['missing'])).toEqual([127, 'ctr: exec "missing": executable file not found: ENOENT\n']);
    expect(await fails(['/no/such'])).toEqual([127, 'ctr: exec "/no/such": no such file or directory: ENOENT\n']);
    expect(await fails(['/etc'])).toEqual([126, 'ctr: the program cannot be executed: EACCES\n']);
    expect(await fails(['sh'], { cwd: '/missing' })).toEqual([125, 'ctr: setting up the directory to start in: ENOENT\n']);
    expect(await fails(['sh'], { mounts: [{ tmpfs: '/etc/passwd' }] })).toEqual([125, 'ctr: setting up the mounts: ENOTDIR\n']);
    expect(await fails(['sh'], { namespaces: { net: { pid: 4_194_304 } } })).toEqual([
      125,
      expect.stringMatching(/^ctr: setting up the namespaces to join: E(SRCH|INVAL)\n$/),
    ]);
    expect(await fails(['missing'], { init: true })).toEqual([127, 'ctr: exec "missing": executable file not found: ENOENT\n']);
    const gone = image();
    const path = compiled(['sh'], { rootfs: gone });
    rmSync(gone, { recursive: true });
    expect(await ended(launched(path))).toMatchObject({ code: 125, stderr: 'ctr: setting up the root file system: ENOENT\n' });
    mkdirSync(gone);
  });

  it('passes its streams on', async () => {
    const child = launched(compiled(['cat']), ['pipe', 'pipe', 'pipe']);
    child.stdin?.end('given\n');
    expect(await ended(child)).toEqual({ code: 0, signal: null, stdout: 'given\n', stderr: '' });
  });

  it('passes signals on', async () => {
    const names = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGTERM', 'SIGCONT', 'SIGWINCH'] as const;
    // All before it is ready: what the first process of a pid namespace has no handler for is dropped, and the shell takes several signals before its next command.
    const traps = [...names.map((name) => `trap "echo ${name}" ${constants.signals[name]}`), 'trap "exit 9" PIPE'].join('; ');
    for (const init of [false, true]) {
      const child = launched(compiled(['sh', '-c', `${traps}; echo ready; while :; do sleep 1000 & wait $!; done`], { init }));
      const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
      expect((await lines.next()).value).toBe('ready');
      for (const name of names) {
        child.kill(name);
        expect((await lines.next()).value).toBe(name);
      }
      child.kill('SIGPIPE');
      const [code] = (await once(child, 'close')) as [number];
      expect(code).toBe(9);
    }
  });

  it('is in its group, with its limits, and removes it', async () => {
    const child = launched(compiled(['sh', '-c', 'echo ready; exec sleep 1000'], { limits: { pids: 7 }, name: 'web' }));
    await once(child.stdout!, 'data');
    const program = programOf(child.pid!);
    const own = groupsOfLauncher(child.pid);
    expect(own).toEqual(Array.from({ length: defaultGroups }, () => expect.stringContaining(`/ctr/web.compiled.${child.pid}`) as string));
    expect(own.filter((group) => existsSync(`${group}/pids.max`)).map((group) => readFileSync(`${group}/pids.max`, 'latin1'))).toEqual(['7\n']);
    for (const group of own) expect(readFileSync(`${group}/cgroup.procs`, 'latin1')).toBe(`${program}\n`);
    expect((await collectGarbage()).filter((group) => own.includes(group))).toEqual([]);
    process.kill(program, 'SIGKILL');
    expect((await ended(child)).code).toBe(137);
    expect(groupsOfLauncher(child.pid)).toEqual([]);
  });

  it('has its group as the root of its cgroup namespace', async () => {
    const { stdout } = await run('cat /proc/self/cgroup', { limits: { pids: 7 }, name: 'web' });
    expect(stdout).toContain(':pids:/\n');
    expect(stdout).not.toContain('compiled');
  });

  it('joins the namespaces of a process, and makes the others', async () => {
    const other = spawn('unshare', ['--pid', '--uts', '--fork', '--kill-child', 'sh', '-c', 'hostname joined; echo $$; exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await once(other.stdout!, 'data');
    const [pid] = childrenOf(other.pid!);
    const { stdout } = await run('hostname; echo $$', { limits: { pids: 7 }, namespaces: { pid: { pid: pid! }, uts: { pid: pid! } } });
    process.kill(pid!, 'SIGKILL');
    await ended(other);
    expect(stdout).toMatch(/^joined\n\d+\n$/);
    expect(stdout).not.toBe('joined\n1\n');
  });

  it('has a clock and an init of its own, if asked', async () => {
    const { stdout } = await run('readlink /proc/self/ns/time; echo $$', { init: true, namespaces: { time: 'new' } });
    expect(stdout).toMatch(/^time:\[\d+\]\n2\n$/);
    expect(stdout).not.toContain(readlinkSync('/proc/self/ns/time'));
  });

  it('removes its group also where others of its processes still end', async () => {
    expect(await run('for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; echo done')).toEqual({ code: 0, stdout: 'done\n', stderr: '' });
  });

  it('runs several times at once', async () => {
    const path = compiled(['sh', '-c', 'cat; echo $$']);
    const children = Array.from({ length: 8 }, () => launched(path, ['pipe', 'pipe', 'pipe']));
    await until(() => children.every(({ pid }) => groupsOfLauncher(pid).length > 0));
    expect(new Set(children.flatMap(({ pid }) => groupsOfLauncher(pid))).size).toBe(children.flatMap(({ pid }) => groupsOfLauncher(pid)).length);
    for (const child of children) child.stdin?.end('x');
    for (const outcome of await Promise.all(children.map(ended))) expect(outcome).toEqual({ code: 0, signal: null, stdout: 'x1\n', stderr: '' });
    expect(children.flatMap(({ pid }) => groupsOfLauncher(pid))).toEqual([]);
  });

  it.each([false, true])('dies with its launcher, whose group is then found and removed; with init: %s', async (init) => {
    const child = launched(compiled(['sh', '-c', 'echo ready; sleep 1000; echo late'], { init, limits: { pids: 20 } }));
    await once(child.stdout!, 'data');
    const started = childrenOf(child.pid!);
    const own = groupsOfLauncher(child.pid);
    expect(own.length).toBeGreaterThan(0);
    child.kill('SIGKILL');
    expect(await ended(child)).toMatchObject({ signal: 'SIGKILL', stdout: '' });
    // The container, and the relays.
    await until(() => !started.some(isRunning));
    // Another process that starts a container may be quicker.
    await collectGarbage();
    expect(own.filter(existsSync)).toEqual([]);
  });

  it('keeps what it opens to itself', async () => {
    const child = launched(compiled(['sh', '-c', 'echo ready; exec sleep 1000'], { init: true }));
    await once(child.stdout!, 'data');
    // What this process passes on to every child is not the launcher's doing.
    const passedOn = spawnSync('ls', ['/proc/self/fd'], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter((fd) => Number(fd) > 3);
    const own = readdirSync(`/proc/${child.pid}/fd`).filter((fd) => !passedOn.includes(fd));
    // Its streams, the pipe by which it learned of the container, the keeper and the way to it, twice, and the directory of the group.
    expect(own.length).toBe(7 + groupsOfLauncher(child.pid).length);
    const program = programOf(child.pid!);
    const [keeper, ...others] = childrenOf(child.pid!);
    // The socket, and the pidfd of the first process.
    expect(readdirSync(`/proc/${keeper}/fd`).length).toBe(2);
    for (const pid of others) expect(readdirSync(`/proc/${pid}/fd`).slice(0, 4), `of ${pid}`).toEqual(pid === program ? ['0', '1', '2'] : ['0', '1', '2', '3']);
    child.kill('SIGTERM');
    expect((await ended(child)).code).toBe(143);
  });

  it('runs with closed streams', async () => {
    const child = spawn('sh', ['-c', 'exec "$0" <&- >&- 2>&-', compiled(['sh', '-c', 'exit 6'])], { stdio: 'ignore' });
    expect((await ended(child)).code).toBe(6);
  });

  it('sees the end of the container where its caller ignores SIGCHLD', () => {
    const path = compiled(['sh', '-c', 'grep SigIgn /proc/self/status; exit 6']);
    const { status, stdout } = spawnSync('bash', ['-c', 'trap "" CHLD; exec "$0"', path], { encoding: 'utf8', timeout: 20_000 });
    expect(status).toBe(6);
    const ignored = BigInt(`0x${/SigIgn:\t([0-9a-f]{16})/.exec(stdout)?.[1] ?? 'f'.repeat(16)}`);
    expect(ignored & (1n << BigInt(constants.signals.SIGCHLD - 1))).toBe(0n);
  });
});
