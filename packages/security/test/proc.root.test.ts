// What all that write to files of proc have in common: where the way to them leads.
import { AT_FDCWD, cloneFlags, launch, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { oomScoreAdj } from '@ctr/security';

import { detached, launched, program, rejection } from './launched.js';

describe('a file of the process in proc', () => {
  it.each([
    ['an absolute link', '/proc/1'],
    ['a link upwards', '../../proc/1'],
  ])('is not looked for behind %s in what is no proc', async (_, target) => {
    const { steps, mount } = detached('tmpfs');
    const link: Step = { call: 'symlinkat', args: [target, mount, 'thread-self'], purpose: 'a link that leads elsewhere' };
    const error = await rejection(launch([...steps, link, ...oomScoreAdj(1, { proc: mount })]));
    expect(error.message).toMatch(/^openat2\(\$tmpfs, "thread-self".* = EXDEV /);
  });

  it('is not looked for in a file system that is mounted over it', async () => {
    const { steps, mount } = detached('proc');
    const cover: Step[] = [
      { call: 'unshare', args: [cloneFlags.CLONE_NEWNS], purpose: 'own mounts' },
      { call: 'mount', args: ['none', '/', null, 0x44000, null], purpose: 'private ones' },
      { call: 'move_mount', args: [mount, '', AT_FDCWD, '/mnt', 4], purpose: 'attach it, so that something can be mounted over it' },
      { call: 'mount', args: ['none', '/mnt/thread-self', 'tmpfs', 0, null], purpose: 'over the directory of this process' },
    ];
    const error = await rejection(launch([...steps, ...cover, ...oomScoreAdj(1, { proc: mount })]));
    expect(error.message).toMatch(/^openat2\(\$proc, "thread-self".* = EXDEV /);
  });

  it('is found by an open file that is used for more than one', async () => {
    const { steps, mount } = detached('proc');
    const plan = [...steps, ...oomScoreAdj(5, { proc: mount }), ...oomScoreAdj(6, { proc: mount })];
    expect((await launched([...plan, ...program('/bin/cat', '/proc/self/oom_score_adj')])).output).toBe('6');
  });
});
