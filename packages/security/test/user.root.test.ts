import { cloneFlags, launch, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { becomeUser, capabilitySets } from '@ctr/security';

import { launched, rejection, script, statusAfter } from './launched.js';

/** A user namespace that maps no id. */
const unmapped = (): Step => ({ call: 'unshare', args: [cloneFlags.CLONE_NEWUSER], purpose: 'a user namespace without maps' });

describe('becomeUser', () => {
  it('sets all four ids of user and group, the groups and the umask', async () => {
    const status = await statusAfter(becomeUser({ uid: 1234, gid: 5678, groups: [20, 10], umask: 0o27 }));
    expect(status).toMatch(/^Uid:\t1234\t1234\t1234\t1234$/m);
    expect(status).toMatch(/^Gid:\t5678\t5678\t5678\t5678$/m);
    expect(status).toMatch(/^Groups:\t10 20 ?$/m);
    expect(status).toMatch(/^Umask:\t0027$/m);
  });

  it('takes the groups of the caller away', async () => {
    const status = await statusAfter([...becomeUser({ uid: 0, gid: 0, groups: [7] }), ...becomeUser({ uid: 1, gid: 1 })]);
    expect(status).toMatch(/^Groups:\t ?$/m);
  });

  it('has no way back', async () => {
    const back: Step = { call: 'setresuid', args: [-1, 0, -1], purpose: 'root again' };
    expect((await rejection(launch([...becomeUser({ uid: 1000, gid: 1000 }), back]))).message).toMatch(/^setresuid\(.*\) = EPERM/);
  });

  it('says that an id is not mapped', async () => {
    const error = await rejection(launch([unmapped(), ...becomeUser({ uid: 1000, gid: 1000 })]));
    expect(error.message).toMatch(/^setresgid\(1000, 1000, 1000\) = EINVAL .*: group 1000\nhint: the id 1000 is not mapped in the user namespace/);
  });

  it('says that groups are denied', async () => {
    const error = await rejection(launch([unmapped(), ...becomeUser({ uid: 0, gid: 0, groups: [1] })]));
    expect(error.message).toMatch(/^setgroups\(1, .*\) = EPERM .*\nhint: this needs CAP_SETGID, and a user namespace that allows setgroups/);
  });

  it('says which capability is missing', async () => {
    const powerless = (): Step[] => capabilitySets({ permitted: [] });
    expect((await rejection(launch([...powerless(), ...becomeUser({ uid: 1, gid: 0 })]))).message).toMatch(/^setresuid\(.*\nhint: this needs CAP_SETUID/);
    expect((await rejection(launch([...powerless(), ...becomeUser({ uid: 0, gid: 1 })]))).message).toMatch(/^setresgid\(.*\nhint: this needs CAP_SETGID/);
    expect((await launched([...powerless(), ...becomeUser({ uid: 0, gid: 0 }), ...script('id -u')])).output).toBe('0');
  });
});
