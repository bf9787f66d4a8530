import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { lsmStatus } from '@ctr/security';

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true });
});

/** Files as a sysfs has them. */
function sysfs(files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'ctr-sysfs-'));
  directories.push(directory);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), content);
  }
  return directory;
}

describe('lsmStatus', () => {
  it('reads what Ubuntu and Debian have', () => {
    const directory = sysfs({ 'kernel/security/lsm': 'lockdown,capability,landlock,yama,apparmor', 'module/apparmor/parameters/enabled': 'Y\n' });
    expect(lsmStatus(directory)).toEqual({ modules: ['lockdown', 'capability', 'landlock', 'yama', 'apparmor'], appArmor: 'enabled', selinux: 'disabled' });
  });

  it('reads what Fedora has, enforcing and permissive', () => {
    const modules = 'lockdown,capability,yama,selinux,bpf,landlock';
    for (const [enforce, selinux] of [
      ['1', 'enforcing'],
      ['0', 'permissive'],
    ] as const) {
      const directory = sysfs({ 'kernel/security/lsm': modules, 'fs/selinux/enforce': enforce });
      expect(lsmStatus(directory)).toEqual({ modules: modules.split(','), appArmor: 'disabled', selinux });
    }
  });

  it('takes what cannot be read as not there', () => {
    expect(lsmStatus(sysfs({}))).toEqual({ modules: undefined, appArmor: 'disabled', selinux: 'disabled' });
    expect(lsmStatus(sysfs({ 'module/apparmor/parameters/enabled': 'N\n', 'fs/selinux/enforce': '' }))).toMatchObject({
      appArmor: 'disabled',
      selinux: 'disabled',
    });
  });

  it('reads this machine', () => {
    const { modules, appArmor, selinux } = lsmStatus();
    expect(['enabled', 'disabled']).toContain(appArmor);
    expect(['enforcing', 'permissive', 'disabled']).toContain(selinux);
    if (modules) expect(modules.includes('apparmor')).toBe(appArmor === 'enabled');
  });
});
