// A program that gives up its own tie to the host, so that it would live on when that is killed: the keeper ends it.
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { standalone, start, type ContainerOptions } from '@ctr/runtime';
import { collectGarbage } from '@ctr/cgroups';
import { call, Fd, readable } from '@ctr/syscall';

import { isWholeRun } from '../../../../tools/fault-record.mjs';
import { sharedImage, temporary } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { asNobody } from '../nobody.js';
import { NodeProgram } from '../node-program.js';

watchForLeaks();
const image = sharedImage();
const ready =
  spawnSync('gcc', ['-static', '-x', 'c', '-o', '/dev/null', '-'], { input: 'int main(void) { return 0; }' }).status === 0
    ? undefined
    : 'gcc makes no static programs here';
beforeAll(() => {
  if (ready === undefined) execFileSync('gcc', ['-O1', '-static', '-o', join(image.path, 'untie'), join(import.meta.dirname, 'untie.c')]);
});

// Runs containers until it is killed, and says which processes they are; `bare` launches the same plan without the steps that register with the keeper.
const host = new NodeProgram(`
  import { plan, run } from '@ctr/runtime';
  import { launch, registerWithKeeper } from '@ctr/syscall';
  const [what = '', json = '', count = '1'] = process.argv.slice(2);
  const [command, options] = JSON.parse(json) as [[string], object];
  if (what === 'bare') {
    const steps = plan(command, options);
    const keeping = new Set(registerWithKeeper({ pid: 1 }).steps.map(({ purpose }) => purpose));
    const child = await launch(steps.filter(({ purpose }) => !keeping.has(purpose)));
    console.log(String(child.pid));
  } else
    await Promise.all(
      Array.from({ length: Number(count) }, async () => {
        const running = run(command, options);
        const { pid } = await running.container;
        for await (const line of running) console.log(pid + ' ' + line);
      }),
    );
`);

// Kills the keeper of its own containers.
const mourner = new NodeProgram(`
  import { existsSync, readFileSync } from 'node:fs';
  import { run, start } from '@ctr/runtime';
  const rootfs = process.argv[2] ?? '';
  const keeper = (): number =>
    readFileSync('/proc/self/task/' + process.pid + '/children', 'latin1')
      .split(' ')
      .filter(Boolean)
      .map(Number)
      .find((pid) => readFileSync('/proc/' + pid + '/comm', 'latin1').trim() === 'ctr-keeper') ?? 0;
  const container = await start(['sleep', '1000'], { rootfs, stdio: 'ignore' });
  const first = keeper();
  process.kill(first, 'SIGKILL');
  const deadline = performance.now() + 10_000;
  while (existsSync('/proc/' + first) && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 2));
  const reaped = !existsSync('/proc/' + first);
  const { exitCode } = await run(['true'], { rootfs });
  const second = keeper();
  const isAlive = container.kill(0);
  container.kill('SIGKILL');
  await container.exited;
  console.log(JSON.stringify({ reaped, exitCode, isAlive, isAnother: second > 0 && second !== first }));
`);

// Starts containers until the keeper, which may open no more files than these, refuses one, and then one more in the place of one that it has ended.
const crowded = new NodeProgram(`
  import { execFileSync } from 'node:child_process';
  import { readFileSync } from 'node:fs';
  import { start, type StartOptions } from '@ctr/runtime';
  const [json = '', files = ''] = process.argv.slice(2);
  const [command, options] = JSON.parse(json) as [[string], StartOptions];
  const one = () => start(command, { ...options, stdio: 'ignore' });
  const first = await one();
  const keeper = readFileSync('/proc/self/task/' + process.pid + '/children', 'latin1')
    .split(' ')
    .find((pid) => pid !== '' && readFileSync('/proc/' + pid + '/comm', 'latin1').trim() === 'ctr-keeper');
  execFileSync('prlimit', ['--pid=' + keeper, '--nofile=' + files + ':' + files]);
  let kept = 1;
  let error = '';
  while (kept < 20 && error === '')
    try {
      await one();
      kept++;
    } catch (thrown) {
      error = String(thrown);
    }
  const [program = first.pid] = readFileSync('/proc/' + first.pid + '/task/' + first.pid + '/children', 'latin1').split(' ').filter(Boolean).map(Number);
  process.kill(program, 'SIGKILL');
  await first.exited;
  let again = false;
  for (let i = 0; i < 100 && !again; i++) again = await one().then(() => true, () => false);
  console.log(JSON.stringify({ kept, error, again }));
  setInterval(() => undefined, 1000);
`);

const ENDS_WITHIN_MS = 10_000;
// What those that were killed have left.
afterAll(() => collectGarbage());

/** Files that are readable when the process and those that it has made have ended. */
function watchTree(pid: number): Fd[] {
  const below = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
  return [new Fd(call({ call: 'pidfd_open', args: [pid, 0], purpose: 'a process of a container' })), ...below.flatMap(watchTree)];
}

async function haveEnded(pidfds: readonly Fd[]): Promise<void> {
  try {
    await Promise.all(pidfds.map((pidfd) => readable(pidfd, { cancelSignal: AbortSignal.timeout(ENDS_WITHIN_MS) })));
  } finally {
    for (const pidfd of pidfds) pidfd.close();
  }
}

/** What it has written when these many lines are there. */
async function lines(child: ChildProcess, count = 1): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (text.split('\n').length > count) break;
  }
  return text.trim();
}

/** As `ctr` is killed by `kill -9`. */
async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

const byPrctl = ['/untie', 'prctl'] as const;
const byIds = ['/untie', 'ids'] as const;
const byTrace = ['/untie', 'trace'] as const;
const allIds: ContainerOptions = { uidMap: [{ inside: 0, outside: 100_000, count: 65_536 }], gidMap: [{ inside: 0, outside: 100_000, count: 65_536 }] };

describe('a program that has untied itself ends with its host', () => {
  it.for<[what: string, command: readonly string[], options: ContainerOptions, by: readonly string[]]>([
    ['as it is by default', byPrctl, {}, []],
    ['by a change of its ids', byIds, {}, []],
    ['in a user namespace', byPrctl, { namespaces: { user: 'new' } }, []],
    ['by a change of its ids, in a user namespace', byIds, { namespaces: { user: 'new' }, ...allIds }, []],
    ['of an ordinary user', byPrctl, {}, asNobody],
    ["in the host's pid namespace", byPrctl, { namespaces: { pid: 'host' } }, []],
    ["of an ordinary user, in the host's pid namespace", byPrctl, { namespaces: { pid: 'host' } }, asNobody],
    ['below an init process', byPrctl, { init: true }, []],
    ["below an init process in the host's pid namespace", byPrctl, { init: true, namespaces: { pid: 'host' } }, []],
    ['of another user', byPrctl, { user: { uid: 1000, gid: 1000 } }, []],
    ['with a limit of memory', byPrctl, { limits: { memoryBytes: 64 * 2 ** 20 } }, []],
    ['with a limit of one process', byPrctl, { limits: { pids: 1 } }, []],
    ['in a time namespace', byPrctl, { namespaces: { time: 'new' } }, []],
    ['with new privileges', byIds, { noNewPrivileges: false }, []],
  ])('%s', async ([, command, options, by], context) => {
    if (ready !== undefined) context.skip(ready);
    // Any start of another process may remove the group of a dead host, and kill what is in it: that is not what is to be seen here.
    const cgroup = options.limits !== undefined;
    const owner = host.start(['run', JSON.stringify([command, { rootfs: image.path, cgroup, ...options }])], { by });
    const [pid = '', ...said] = (await lines(owner)).split(' ');
    expect(said).toEqual([command[1], '0']);
    const pidfds = watchTree(Number(pid));
    await kill(owner);
    await haveEnded(pidfds);
  });

  it('compiled', async (context) => {
    if (ready !== undefined) context.skip(ready);
    for (const options of [{}, { init: true, namespaces: { pid: 'host' } }] satisfies ContainerOptions[]) {
      const file = join(temporary(), 'compiled');
      writeFileSync(file, standalone(byPrctl, { rootfs: image.path, cgroup: false, ...options }), { mode: 0o755 });
      const launcher = spawn(file, { stdio: ['ignore', 'pipe', 'inherit'] });
      expect(await lines(launcher)).toBe('prctl 0');
      const pidfds = watchTree(launcher.pid ?? 0);
      expect(pidfds.length).toBeGreaterThan(2);
      await kill(launcher);
      await haveEnded(pidfds);
    }
  });

  it.for<[what: string, options: ContainerOptions, files: number]>([
    ['one', {}, 8],
    ["one below an init process in the host's pid namespace", { init: true, namespaces: { pid: 'host' } }, 8],
    ['none but the pipe', {}, 5],
  ])('and none begins that the keeper has no room for: %s', async ([, options, files], context) => {
    if (ready !== undefined) context.skip(ready);
    const marker = `crowded-${process.pid}-${files}`;
    const owner = crowded.start([JSON.stringify([[...byPrctl, marker], { rootfs: image.path, cgroup: false, ...options }]), String(files)]);
    // The lowest file is that of the pipe, which is closed again.
    expect(JSON.parse(await lines(owner))).toEqual({
      kept: files - 4,
      error: expect.stringMatching(/the keeper takes the process = EMFILE .*no room for the files of this container/s),
      again: true,
    });
    const programs = processesOf(marker);
    expect(programs).toHaveLength(files - 4);
    const pidfds = programs.map((pid) => new Fd(call({ call: 'pidfd_open', args: [pid, 0], purpose: 'a program' })));
    await kill(owner);
    await haveEnded(pidfds);
    expect(processesOf(marker)).toEqual([]);
  });

  it.for<[what: string, options: ContainerOptions, by: readonly string[]]>([
    ['as it is by default', {}, []],
    ['in a user namespace', { namespaces: { user: 'new' } }, []],
    ['of an ordinary user', {}, asNobody],
  ])('and cannot be stopped at its end by one of its own: %s', async ([, options, by], context) => {
    if (ready !== undefined) context.skip(ready);
    const owner = host.start(['run', JSON.stringify([byTrace, { rootfs: image.path, cgroup: false, ...options }])], { by });
    const [pid = '', ...said] = (await lines(owner)).split(' ');
    expect(said).toEqual(['trace', '-1']);
    const pidfds = watchTree(Number(pid));
    await kill(owner);
    await haveEnded(pidfds);
  });

  it('which a filter that allows it would let it do', async (context) => {
    if (ready !== undefined) context.skip(ready);
    const owner = host.start(['run', JSON.stringify([byTrace, { rootfs: image.path, cgroup: false, seccomp: 'unconfined' }])]);
    const [pid = '', ...said] = (await lines(owner)).split(' ');
    const pidfds = watchTree(Number(pid));
    const tracer = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim());
    await kill(owner);
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ')[2]).toBe('t');
    process.kill(tracer, 'SIGKILL');
    await haveEnded(pidfds);
    expect(said).toEqual(['trace', '0']);
  });

  it('and would live on without the keeper', async (context) => {
    if (ready !== undefined) context.skip(ready);
    const owner = host.start(['bare', JSON.stringify([byPrctl, { rootfs: image.path, cgroup: false }])]);
    const text = await lines(owner, 2);
    const pid = Number(/^\d+$/m.exec(text)?.[0]);
    const pidfds = watchTree(pid);
    await kill(owner);
    const state = readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ')[2];
    process.kill(pid, 'SIGKILL');
    await haveEnded(pidfds);
    expect([text.includes('prctl 0'), state]).toEqual([true, expect.stringMatching(/[RS]/)]);
  });

  it('and lives as long as that: another host may end', async (context) => {
    if (ready !== undefined) context.skip(ready);
    await using container = await start(byPrctl, { rootfs: image.path, stdio: 'ignore' });
    const owner = host.start(['run', JSON.stringify([byPrctl, { rootfs: image.path }])]);
    const [pid] = (await lines(owner)).split(' ');
    const pidfds = watchTree(Number(pid));
    await kill(owner);
    await haveEnded(pidfds);
    expect(container.kill(0)).toBe(true);
  });

  const KILLS = isWholeRun ? 1000 : 40;
  it(`${KILLS} kills at random moments leave none`, { timeout: 600_000 }, async (context) => {
    if (ready !== undefined) context.skip(ready);
    const [AT_ONCE, CONTAINERS] = [4, 4];
    const marker = `untied-${process.pid}`;
    const json = JSON.stringify([[...byPrctl, marker], { rootfs: image.path, cgroup: false }]);
    let running = 0;
    // As long as a start takes now, with as many others beside it: the load of the machine changes, and with it the moments.
    let duration = 0;
    const measure = async (): Promise<void> => {
      const begin = performance.now();
      const owner = host.start(['run', json, String(CONTAINERS)]);
      await lines(owner);
      duration = Math.max(duration, performance.now() - begin);
      await kill(owner);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, measure));
    const one = async (): Promise<void> => {
      const owner = host.start(['run', json, String(CONTAINERS)]);
      let text = '';
      owner.stdout?.on('data', (chunk: Buffer) => (text += String(chunk)));
      const closed = once(owner, 'close');
      const timer = setTimeout(() => owner.kill('SIGKILL'), duration * (0.4 + Math.random()));
      await closed;
      clearTimeout(timer);
      const isRunning = text.includes('prctl 0');
      if (isRunning) running++;
      // The next moments are around the one that divides those that run from those that do not.
      duration *= isRunning ? 0.9 : 1.1;
    };
    for (let i = 0; i < KILLS; i += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, one));
    await haveEnded(processesOf(marker).map((pid) => new Fd(call({ call: 'pidfd_open', args: [pid, 0], purpose: 'one that is left' }))));
    expect(processesOf(marker)).toEqual([]);
    expect(running).toBeGreaterThan(0);
    expect(running).toBeLessThan(KILLS);
  });
});

/** Processes whose arguments have this word. */
function processesOf(word: string): number[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith(`/untie\0prctl\0${word}`) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}

describe('the keeper', () => {
  const keepers = (): number[] =>
    readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1')
      .split(' ')
      .filter(Boolean)
      .map(Number)
      .filter((pid) => /^ctr-keeper$/m.test(readFileSync(`/proc/${pid}/comm`, 'latin1')));

  it('is one process for all containers, with a file for each, and a session and no signals of its own', async () => {
    const containers = await Promise.all(Array.from({ length: 5 }, () => start(['sleep', '1000'], { rootfs: image.path, stdio: 'ignore' })));
    const [pid = 0, ...others] = keepers();
    const files = (): string[] => readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/:\[\d+\]$/, ''));
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    expect(others).toEqual([]);
    expect(files()).toEqual(['socket', 'pipe', 'anon_inode:[eventpoll]', ...containers.map(() => 'anon_inode:[pidfd]')]);
    expect(/^SigBlk:\t(.*)$/m.exec(status)?.[1]).toBe('fffffffffffbfeff');
    expect(/^NSsid:\t(\d+)/m.exec(status)?.[1]).toBe(String(pid));
    for (const container of containers) await container[Symbol.asyncDispose]();
    await expect.poll(files).toHaveLength(3);
  });

  it('is made again when somebody has killed it, and what it has kept goes on', async () => {
    const { stdout, stderr } = await mourner.run([image.path]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ reaped: true, exitCode: 0, isAlive: true, isAnother: true });
  });
});
