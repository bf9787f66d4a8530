import { launch } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { lsmStatus, selinuxKeyLabel, selinuxLabel, type LsmStatus } from '@ctr/security';

import { detached, rejection } from './launched.js';

/** As if SELinux were at work: what the kernel says is looked at. */
const lsm: LsmStatus = { modules: undefined, appArmor: 'disabled', selinux: 'enforcing' };

describe('selinuxLabel and selinuxKeyLabel', () => {
  it.each([
    ['selinuxLabel', selinuxLabel],
    ['selinuxKeyLabel', selinuxKeyLabel],
  ] as const)('%s fails if the kernel does not know the label, or has no SELinux after all', async (_, set) => {
    const { steps, mount } = detached('proc');
    const error = await rejection(launch([...steps, ...set('ctr_u:ctr_r:no_such_t:s0', { proc: mount, lsm })]));
    expect(error.message).toMatch(
      /^write\(\$\w+, "ctr_u:ctr_r:no_such_t:s0", 24\) = EINVAL .*\nhint: the SELinux policy does not know the label "ctr_u:ctr_r:no_such_t:s0", or SELinux/,
    );
  });

  it('are refused here where it is not at work', ({ skip }) => {
    skip(lsmStatus().selinux !== 'disabled', 'SELinux is at work here');
    expect(() => selinuxLabel('u:r:t', { proc: detached('proc').mount })).toThrow('SELinux is not at work');
  });
});
