import { launch } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { appArmorProfile, lsmStatus, type LsmStatus } from '@ctr/security';

import { detached, rejection } from './launched.js';

/** As if AppArmor were at work: what the kernel says is looked at. */
const lsm: LsmStatus = { modules: undefined, appArmor: 'enabled', selinux: 'disabled' };

describe('appArmorProfile', () => {
  it('fails if there is no such profile, or no AppArmor after all', async () => {
    const { steps, mount } = detached('proc');
    const error = await rejection(launch([...steps, ...appArmorProfile('ctr-no-such-profile', { proc: mount, lsm })]));
    expect(error.message).toMatch(
      / = E(?:NOENT|INVAL) .*AppArmor profile "ctr-no-such-profile" from execve on\nhint: (?:no AppArmor profile|AppArmor is not at work)/,
    );
  });

  it('is not written to what is no proc', async () => {
    const { steps, mount } = detached('tmpfs');
    const error = await rejection(launch([...steps, ...appArmorProfile('any', { proc: mount, lsm })]));
    expect(error.message).toMatch(/^openat2\(\$tmpfs, "thread-self".* = ENOENT .*\nhint: it is not a proc/);
  });

  it('is refused here where it is not at work', ({ skip }) => {
    skip(lsmStatus().appArmor === 'enabled', 'AppArmor is at work here');
    expect(() => appArmorProfile('docker-default', { proc: detached('proc').mount })).toThrow('AppArmor is not at work');
  });
});
