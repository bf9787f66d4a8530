import { existsSync } from 'node:fs';

import { expect, it } from 'vitest';

import { ctr, startCtr } from './ctr.js';

const directory = '/sys/fs/cgroup/system.slice/ctr-killed.scope';

it('a container of systemd goes when its ctr is killed, and its scope with it', async () => {
  const running = startCtr(['run', '--cgroup-manager', 'systemd', '--name', 'killed', '-m', '64m', 'sh', '-c', 'echo ready; exec sleep 600']);
  await running.until('ready');
  expect(existsSync(`${directory}/container/memory.max`)).toBe(true);
  running.kill('SIGKILL');
  expect(await running.ended).toMatchObject({ signal: 'SIGKILL', stderr: '' });
  // Nothing is left that would be in its way.
  let second = await ctr(['run', '--cgroup-manager', 'systemd', '--name', 'killed', 'echo', 'again']);
  for (let i = 0; i < 50 && second.stderr.includes('UnitExists'); i++)
    second = await ctr(['run', '--cgroup-manager', 'systemd', '--name', 'killed', 'echo', 'again']);
  expect(second).toMatchObject({ code: 0, stdout: 'again\n', stderr: '' });
  expect(existsSync(directory)).toBe(false);
});
