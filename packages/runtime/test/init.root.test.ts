import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, it, onTestFinished } from 'vitest';

import { plan, run, start, type Container, type RunOptions, type RunPromise } from '@ctr/runtime';
import { launch, waitForHost } from '@ctr/syscall';

import { sharedImage } from './image.js';
import { watchForLeaks } from './leaks.js';

watchForLeaks();
const image = sharedImage();

function sh(script: string, options: RunOptions = {}): RunPromise {
  return run(['sh', '-c', script], { rootfs: image.path, init: true, ...options });
}

/** What the kernel says of a process, from its state and its parent's pid on; nothing if it is gone. */
function statusOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return [];
  }
}

const stateOf = (pid: number): string => statusOf(pid)[0] ?? '';
const parentOf = (pid: number): number => Number(statusOf(pid)[1]);

describe('an init process', () => {
  it('is the first process, and the program its child', async () => {
    const { stdout } = await sh('echo $$ $PPID; cut -d" " -f6 /proc/self/stat');
    expect(stdout).toBe('2 1\n2\n');
  });

  it('has nothing open by which a program could reach the host', async () => {
    await using container = await start(['sleep', '1000'], { rootfs: image.path, init: true, stdio: 'ignore' });
    await expect.poll(() => readdirSync(`/proc/${container.pid}/fd`)).toEqual(['0', '1', '2']);
    expect((await sh('ls /proc/self/fd | wc -l; readlink /proc/1/cwd; readlink /proc/1/root; readlink /proc/1/exe; true')).stdout).toBe('4\n');
  });

  it('is known for what it is, also if the process that made it is killed before it can tell', async () => {
    const steps = plan(['sh', '-c', 'sleep 0.05; exit 7'], { rootfs: image.path, init: true, cgroup: false });
    const told = steps.findIndex(({ purpose }) => purpose === 'tell the host its pid');
    let first = 0;
    const child = await launch(steps.toSpliced(told, 0, ...waitForHost('the fault')), {
      stdio: ['ignore', 'ignore', 'ignore'],
      onWaiting: (pid) => {
        first = pid;
        process.kill(pid, 'SIGKILL');
        return new Promise(() => undefined);
      },
    });
    expect(first).toBeGreaterThan(0);
    expect(child.pid).not.toBe(first);
    expect(await child.exited).toMatchObject({ code: 7 });
  });

  it("is not outlived in the host's pid namespace, also if it is killed before the program is tied to it", async () => {
    const steps = plan(['sleep', '1000'], { rootfs: image.path, init: true, cgroup: false, namespaces: { pid: 'host' } });
    const tie = steps.findLastIndex(({ purpose }) => purpose === 'die with the host');
    expect(steps.slice(0, tie).some(({ purpose }) => purpose === 'a process for the program')).toBe(true);
    let program = 0;
    onTestFinished(() => {
      if (!/^Z?$/.test(stateOf(program))) process.kill(program, 'SIGKILL');
    });
    const launching = launch(steps.toSpliced(tie, 0, ...waitForHost('the fault')), {
      stdio: ['ignore', 'ignore', 'ignore'],
      onWaiting: async (pid) => {
        program = pid;
        const init = parentOf(pid);
        process.kill(init, 'SIGKILL');
        await expect.poll(() => parentOf(pid)).not.toBe(init);
      },
    });
    await expect(launching).rejects.toThrow('the process ended during its set-up, killed by SIGKILL');
    expect(program).toBeGreaterThan(0);
    await expect.poll(() => stateOf(program)).toMatch(/^Z?$/);
  });

  it('ends as the program does', async () => {
    expect(await sh('exit 0')).toMatchObject({ exitCode: 0, signal: undefined });
    expect(await sh('exit 255', { reject: false })).toMatchObject({ exitCode: 255, signal: undefined });
    expect(await sh('kill -TERM $$', { reject: false })).toMatchObject({ exitCode: 143, signal: undefined });
    expect(await sh('kill -KILL $$', { reject: false })).toMatchObject({ exitCode: 137, signal: undefined });
    expect(await sh('ulimit -c unlimited 2>/dev/null; cd /dev/shm; kill -SEGV $$', { reject: false })).toMatchObject({ exitCode: 139, signal: undefined });
  });

  it('fails as the program does when that cannot be executed', async () => {
    await expect(run(['missing'], { rootfs: image.path, init: true })).rejects.toThrow(/^exec "missing": executable file not found = ENOENT /);
    await expect(run(['/etc'], { rootfs: image.path, init: true })).rejects.toThrow(/ = EACCES /);
  });

  it('reaps 1,000 orphans as they end: never are there many', async () => {
    const script = 'i=0; while [ $i -lt 1000 ]; do (true &); i=$((i+1)); done; sleep 0.1; echo "$i orphans, $(ps -o stat | grep -c Z) zombies"';
    expect((await sh(script, { limits: { pids: 40 } })).stdout).toBe('1000 orphans, 0 zombies\n');
  });

  it('is not over before the program is, however many orphans there are', async () => {
    expect((await sh('for i in 1 2 3 4 5; do (sleep 0.0$i &); done; sleep 0.2; echo done')).stdout).toBe('done\n');
  });

  it('ends with the program, and with it whatever else runs', async () => {
    const { durationMs } = await sh('(sleep 1000 &); (trap "" TERM HUP INT; sleep 1000) & exit 0');
    expect(durationMs).toBeLessThan(10_000);
  });

  it("is a subreaper in the host's pid namespace", async () => {
    // The inner shell, which is its parent at first, has ended when the child is let go.
    const orphan = 'until [ -e /dev/shm/go ]; do sleep 0.01; done; cut -d" " -f4 /proc/$$/stat; touch /dev/shm/done';
    const script = `echo $PPID; (sh -c '${orphan}' &); touch /dev/shm/go; until [ -e /dev/shm/done ]; do sleep 0.01; done`;
    const [init, parent] = (await sh(script, { namespaces: { pid: 'host' } })).stdout.split('\n');
    expect(init).toMatch(/^\d+$/);
    expect(parent).toBe(init);
  });
});

describe('signals', () => {
  const names = ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'TERM', 'CONT', 'WINCH', 'ALRM', 'TSTP', 'TTIN', 'TTOU', 'URG', 'IO', 'PIPE'] as const;

  /** A program that names the signals it gets, until it is killed. */
  function listener(init: boolean): RunPromise {
    const traps = names.map((name) => `trap "echo ${name}" ${name}`).join('; ');
    return run(['sh', '-c', `${traps}; echo ready; while :; do sleep 1000 & wait $!; done`], { rootfs: image.path, init, reject: false });
  }

  it.each([true, false])('reach the program, with init: %s', async (init) => {
    const running = listener(init);
    const container: Container = await running.container;
    const lines = running[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => (await lines.next()).value;
    expect(await next()).toBe('ready');
    for (const name of names) {
      expect(container.kill(`SIG${name}`)).toBe(true);
      expect(await next()).toBe(name);
    }
    container.kill('SIGKILL');
    expect((await running).signal).toBe('SIGKILL');
    expect(container.kill('SIGTERM')).toBe(false);
  });

  it('without a handler end a program that is the child of init', async () => {
    const container = await start(['sleep', '1000'], { rootfs: image.path, stdio: 'ignore', init: true });
    container.kill('SIGTERM');
    expect(await container.exited).toMatchObject({ exitCode: 143, signal: undefined });
  });

  it('without a handler are nothing to the first process of a pid namespace, but for SIGKILL', async () => {
    const container = await start(['sh', '-c', 'sleep 1000'], { rootfs: image.path, stdio: 'ignore' });
    for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) expect(container.kill(name)).toBe(true);
    expect(container.kill(0)).toBe(true);
    container.kill('SIGKILL');
    expect(await container.exited).toMatchObject({ exitCode: undefined, signal: 'SIGKILL' });
  });

  it('sent before the program is there wait for it', async () => {
    const container = await start(['sh', '-c', 'trap "exit 9" USR1; while :; do sleep 0.01; done'], { rootfs: image.path, stdio: 'ignore', init: true });
    // Until the trap is set, the signal would end it: 128 + 10.
    container.kill('SIGUSR1');
    expect([9, 138]).toContain((await container.exited).exitCode);
  });

  it('of real time are passed on, too', async () => {
    const container = await start(['sleep', '1000'], { rootfs: image.path, stdio: 'ignore', init: true });
    container.kill(34);
    // 34 is none of those that are forwarded, so it ends nothing; TERM does.
    container.kill('SIGTERM');
    expect((await container.exited).exitCode).toBeGreaterThan(128);
  });
});
