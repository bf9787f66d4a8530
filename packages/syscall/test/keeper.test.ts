// What the keeper does with what it is given. It is a process beside that of the tests, and stays: in a file of their own.
import { readFileSync } from 'node:fs';

import { continueInChild, launch, openPipe, registerWithKeeper, type Plan } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { script } from './program.js';

describe('registerWithKeeper', () => {
  it.each([
    ['by the files that are sent', { ahead: false }],
    ['by a way that is made ahead, in an earlier process', { ahead: true }],
  ])('ends the group with the process that is kept: %s', async (_, options) => {
    const [held, group] = [openPipe('held'), openPipe('group')];
    const number = 5; // the number that the file has behind the way to the keeper
    const registration = registerWithKeeper({ ...options, cgroupKill: number });
    const plan: Plan = [
      { call: 'fcntl', args: [group.write, 1, 0], purpose: 'what stands for the file of the group' },
      ...registration.prepare,
      ...continueInChild(),
      ...registration.send,
      ...registration.confirm,
      ...script('read -r x'),
    ];
    const child = await launch(plan, { stdio: [held.read, 'ignore', 'ignore'] });
    held.read.close();
    group.write.close();
    held.write.close();
    expect((await child.exited).code).toBe(1);
    // The keeper has the last file of this pipe, and closes it.
    expect(readFileSync(group.read.number, 'latin1')).toBe('1');
    group.read.close();
  });
});
