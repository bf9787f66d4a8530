import { existsSync } from 'node:fs';
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

/** Waits until something holds that nothing tells of. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await delay(10);
  }
}
