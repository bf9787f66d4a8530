import { AT_FDCWD, atFlags, cloneFlags, launch, mountAttr, mountFlags, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { becomeUser, capabilitySets, oomScoreAdj } from '@ctr/security';

import { detached, launched, program, rejection } from './launched.js';

/** Steps that mount an empty file system over /proc, seen by nobody else. */
function coverProc(): Step[] {
  const attributes = mountAttr({ propagation: mountFlags.MS_PRIVATE });
  return [
    { call: 'unshare', args: [cloneFlags.CLONE_NEWNS], purpose: 'own mounts' },
    { call: 'mount_setattr', args: [AT_FDCWD, '/', atFlags.AT_RECURSIVE, attributes, attributes.byteLength], purpose: 'private ones' },
    { call: 'mount', args: ['none', '/proc', 'tmpfs', 0, null], purpose: 'a /proc that is none' },
  ];
}

const show = program('/bin/cat', '/proc/self/oom_score_adj');

describe('oomScoreAdj', () => {
  it('is that of the program', async () => {
    expect((await launched([...oomScoreAdj(321), ...show])).output).toBe('321');
  });

  it('is written by a proc that is mounted nowhere, whatever is at /proc', async () => {
    const { steps, mount } = detached('proc');
    const plan = [...steps, ...coverProc(), ...oomScoreAdj(123, { proc: mount })];
    const uncover: Step = { call: 'umount2', args: ['/proc', 0], purpose: 'to see it' };
    expect((await launched([...plan, uncover, ...program('/bin/cat', '/proc/self/oom_score_adj')])).output).toBe('123');
  });

  it('is not written to a /proc that is none', async () => {
    const error = await rejection(launch([...coverProc(), ...oomScoreAdj(1)]));
    expect(error.message).toMatch(/^there is no proc at \/proc = ENODEV .*\nhint: mount one there/);
  });

  it('needs a right to be less than it was', async () => {
    const error = await rejection(launch([...capabilitySets({ permitted: [] }), ...oomScoreAdj(-1000)]));
    expect(error.message).toMatch(
      /^write\(\$oom_score_adj, "-1000", 5\) = EACCES .*: set the OOM score adjustment to -1000\nhint: less than it has been started with/,
    );
  });

  it('cannot be set by a process that has become another user', async () => {
    const error = await rejection(launch([...becomeUser({ uid: 1000, gid: 1000 }), ...oomScoreAdj(1)]));
    expect(error.message).toMatch(/^openat2\(\$thread-self, "oom_score_adj".* = EACCES .*\nhint: .*a process that has become another user/s);
  });
});
