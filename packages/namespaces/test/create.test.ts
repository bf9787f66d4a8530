import { cloneFlags, explain, perform } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { create, createFlags, type Namespace } from '@ctr/namespaces';

describe('create', () => {
  it('is one unshare', () => {
    expect(explain(create('user', 'mount', 'pid', 'net', 'uts', 'ipc', 'cgroup', 'time'))).toMatchInlineSnapshot(
      `"1  unshare(CLONE_NEWTIME|CLONE_NEWNS|CLONE_NEWCGROUP|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWUSER|CLONE_NEWPID|CLONE_NEWNET)  # new user, mount, pid, net, uts, ipc, cgroup and time namespaces"`,
    );
    expect(explain(create('uts'))).toMatchInlineSnapshot(`"1  unshare(CLONE_NEWUTS)  # new uts namespace"`);
    expect(create()).toEqual([]);
  });

  it('refuses a kind named twice, and one that there is none of', () => {
    expect(() => create('uts', 'net', 'uts')).toThrow(new TypeError('the uts namespace is named twice'));
    expect(() => create('mnt' as Namespace)).toThrow(TypeError);
  });

  it('says why Node cannot perform a new user namespace', () => {
    expect(() => perform(create('user'))).toThrow(/^unshare\(CLONE_NEWUSER\) = EINVAL .*\nhint: a process with threads, as Node is, .* launch the plan/);
  });
});

describe('createFlags', () => {
  it('are the flags of clone', () => {
    expect(createFlags(['pid', 'mount'])).toBe(cloneFlags.CLONE_NEWPID | cloneFlags.CLONE_NEWNS);
    expect(createFlags([])).toBe(0);
  });

  it('have no time namespace', () => {
    expect(() => createFlags(['pid', 'time'])).toThrow("clone(2) cannot make a time namespace: use create('time') before it");
  });
});
