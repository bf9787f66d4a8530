import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { expect, it } from 'vitest';

import { ctr, startCtr } from './ctr.js';

const directory = '/sys/fs/cgroup/system.slice/ctr-killed.scope';
const systemd = ['run', '--cgroup-manager', 'systemd'];

it('a container of systemd goes when its ctr is killed, and its scope with it', async () => {
  const running = startCtr([...systemd, '--name', 'killed', '-m', '64m', 'sh', '-c', 'echo ready; exec sleep 600']);
  await running.until('ready');
  expect(existsSync(`${directory}/container/memory.max`)).toBe(true);
  running.kill('SIGKILL');
  expect(await running.ended).toMatchObject({ signal: 'SIGKILL', stderr: '' });
  await until('the scope has ended', () => !existsSync(directory));
  // Nothing is left that would be in its way.
  expect(await ctr([...systemd, '--name', 'killed', 'echo', 'again'])).toMatchObject({ code: 0, stdout: 'again\n', stderr: '' });
});

it('a container of systemd is seen by ctr top, in its slice alone where that is asked for, and counted by ctr doctor', async () => {
  const running = startCtr([
    ...systemd,
    '--cgroup-parent',
    'ctrtest-jobs.slice',
    '--name',
    'seen',
    '-m',
    '64m',
    '--pids-limit',
    '30',
    'sh',
    '-c',
    'echo ready; exec sleep 600',
  ]);
  await running.until('ready');
  const namesIn = async (...options: readonly string[]) => {
    const { stdout } = await ctr(['top', '--json', '-n', '1', ...options]);
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { name: string; pids: number; pidsMax: number; memoryLimitBytes: number });
  };
  expect(await namesIn()).toMatchObject([{ name: 'seen', pids: 1, pidsMax: 30, memoryLimitBytes: 64 * 2 ** 20 }]);
  expect(await namesIn('--cgroup-parent', 'ctrtest.slice')).toMatchObject([{ name: 'seen' }]);
  expect(await namesIn('--cgroup-parent', 'machine.slice')).toEqual([]);
  const { stdout } = await ctr(['doctor', '--json']);
  const systemdOf = (JSON.parse(stdout) as { what: string; ok: boolean; found: string }[]).find(({ what }) => what === 'systemd');
  expect(systemdOf).toMatchObject({ ok: true, found: 'that of the system, with 1 scope of ctr (--cgroup-manager systemd)' });
  running.kill('SIGTERM');
  await running.ended;
  expect(await namesIn()).toEqual([]);
});

it("an ordinary user's container is in a scope of their own systemd", async () => {
  // systemd runs nothing for a user that it does not find: this one every Debian has.
  const uid = 1;
  const runtime = `/run/user/${uid}`;
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  chownSync(runtime, uid, uid);
  const env = { XDG_RUNTIME_DIR: runtime };
  const options = ['--unit=ctr-user', `--uid=${uid}`, '--property=Delegate=yes', `--setenv=XDG_RUNTIME_DIR=${runtime}`];
  execFileSync('systemd-run', [...options, '/lib/systemd/systemd', '--user', '--unit=basic.target'], { stdio: 'ignore' });
  try {
    await until('their systemd listens', () => existsSync(`${runtime}/systemd/private`));
    const script = 'cat /proc/self/cgroup; for i in 1 2 3 4 5; do sleep 600 & done';
    const { stdout, stderr } = await ctr([...systemd, '--name', 'mine', '--cgroupns', 'host', '--pids-limit', '4', 'sh', '-c', script], { uid, env });
    expect({ stdout, stderr }).toEqual({
      stdout: '0::/system.slice/ctr-user.service/app.slice/ctr-mine.scope/container\n',
      stderr: expect.stringContaining('Cannot fork'),
    });
    expect(existsSync('/sys/fs/cgroup/system.slice/ctr-user.service/app.slice/ctr-mine.scope')).toBe(false);
  } finally {
    execFileSync('systemctl', ['stop', 'ctr-user.service']);
    rmSync(runtime, { recursive: true });
  }
});

/** Waits until something holds that nothing tells of. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await delay(10);
  }
}
