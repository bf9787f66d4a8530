import { cloneFlags } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { mqueue } from '@ctr/fs';

import { printed, privateMounts, temporary } from './launched.js';

it('mqueue shows the queues of the IPC namespace', async () => {
  const [one, two] = [temporary(), temporary()];
  const output = await printed([...mqueue(one), ...mqueue(two)], `busybox touch ${one}/queue; busybox ls ${two}`, privateMounts(cloneFlags.CLONE_NEWIPC));
  expect(output).toBe('queue');
});
