import { existsSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { childPlan, standalonePlan, start, type ContainerOptions } from '@ctr/runtime';

describe('cgroupManager', () => {
  it('takes two words, and needs a cgroup', async () => {
    await expect(start(['true'], { cgroupManager: 'openrc' as 'systemd' })).rejects.toThrow("cgroupManager is \"openrc\": 'cgroupfs' or 'systemd'");
    await expect(start(['true'], { cgroupManager: 'systemd', cgroup: false })).rejects.toThrow('cgroupManager needs a cgroup');
  });

  it('systemd needs a host that stays', () => {
    const options: ContainerOptions = { cgroupManager: 'systemd' };
    expect(() => standalonePlan(['true'], options)).toThrow('a compiled container has nobody to ask systemd');
    expect(() => childPlan(['true'], options)).toThrow('it makes its cgroup itself');
  });

  it('systemd is refused where it is not running, and its names where they cannot be', async (context) => {
    await expect(start(['true'], { cgroupManager: 'systemd', cgroupParent: '/jobs' })).rejects.toThrow('"/jobs" cannot be the name of a slice');
    await expect(start(['true'], { cgroupManager: 'systemd', name: 'x'.repeat(300) })).rejects.toThrow('cannot be the name of a scope');
    if (existsSync('/run/systemd/system')) context.skip('systemd is running here');
    await expect(start(['true'], { cgroupManager: 'systemd' })).rejects.toThrow(/^systemd is not running here: \/run\/systemd\/system is missing/);
  });
});
