import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { announceExec, launch, openPipe } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { mounts, tmpfs } from '@ctr/fs';

import { busybox, privateMounts, rejection, temporary } from './launched.js';

it('mounts lists those of this process, or of another', async () => {
  const at = join(temporary(), 'a \\ place\n');
  mkdirSync(at);
  const { read, write } = openPipe('input');
  using input = read;
  using end = write;
  const program = [announceExec(), { call: 'execve', args: [busybox, ['cat'], []], purpose: 'a program that waits' } as const];
  await using child = await launch([...privateMounts(), ...tmpfs(at, { source: 'a # source' }), ...program], { stdio: [input, 'ignore', 'inherit'] });
  const there = (await mounts(child.pid)).find(({ mountPoint }) => mountPoint === at);
  expect(there).toMatchObject({ type: 'tmpfs', source: 'a # source' });
  const here = await mounts();
  expect(here.some(({ mountPoint }) => mountPoint === '/')).toBe(true);
  expect(here.find(({ mountPoint }) => mountPoint === at)).toBeUndefined();
  expect(end.closed).toBe(false);
});

it('mounts says that there is no such process', async () => {
  expect((await rejection(mounts(2 ** 22 + 1))).message).toContain('ENOENT');
  expect((await rejection(mounts(0))).message).toBe('pid is 0: it has to be an integer from 1 to 9007199254740991');
});
