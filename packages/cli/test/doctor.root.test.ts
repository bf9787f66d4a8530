import { describe, expect, it } from 'vitest';

import { bin, ctr, shell } from './ctr.js';

interface Line {
  section: string;
  what: string;
  ok: boolean;
  needed: boolean;
  found: string;
  advice?: string;
}

const users = [
  ['root', 0],
  ['an ordinary user', 65_534],
] as const;

describe.each(users)('for %s', (_, uid) => {
  it('finds what there is, as JSON', async () => {
    const { code, stdout, stderr } = await ctr(['doctor', '--json'], { uid });
    expect(stderr).toBe('');
    const lines = JSON.parse(stdout) as Line[];
    expect([...new Set(lines.map(({ section }) => section))]).toEqual([
      'Kernel',
      'Namespaces',
      'User namespaces',
      'File systems',
      'Control groups',
      'Capabilities',
      'Confinement',
    ]);
    expect(lines.filter(({ section }) => section === 'Namespaces').map(({ what }) => what)).toEqual([
      'user',
      'mount',
      'pid',
      'net',
      'ipc',
      'uts',
      'cgroup',
      'time',
    ]);
    for (const { ok, advice } of lines.filter((line) => line.section !== 'Confinement' && !line.ok))
      expect({ ok, advice }).toMatchObject({ advice: expect.any(String) });
    expect(code).toBe(lines.some(({ ok, needed }) => !ok && needed) ? 1 : 0);
  });

  it('prints a table that fits a terminal', async () => {
    const { stdout } = await ctr(['doctor'], { uid });
    expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
    expect(stdout).toMatch(/^ {2}✔ version +\d/m);
    expect(stdout).toMatch(/^ctr run (works here as|lacks for) /m);
  });
});

describe('finds what is missing', () => {
  const env = { NODE: process.execPath, BIN: bin };

  it('a capability', async () => {
    const { code, stdout } = await shell('setpriv --bounding-set=-sys_admin "$NODE" "$BIN" doctor', { env });
    expect(code).toBe(1);
    expect(stdout).toMatch(/✘ mount +clone: EPERM \(operation not permitted\)/);
    expect(stdout).toMatch(/✘ effective +all but .*SYS_ADMIN/);
    expect(stdout).toMatch(/CAP_SYS_ADMIN missing/);
  });

  it('user namespaces', async () => {
    const { stdout } = await shell(`unshare --user --map-root-user sh -c 'echo 0 > /proc/sys/user/max_user_namespaces; "$NODE" "$BIN" doctor'`, { env });
    expect(stdout).toMatch(/[✘–] user\.max_user_namespaces +0\n +→ sysctl user\.max_user_namespaces=/);
    expect(stdout).toMatch(/[✘–] user +unshare: ENOSPC/);
  });

  it('control groups', async () => {
    const { code, stdout } = await shell(
      `unshare --mount --propagation private sh -c 'awk "/ - cgroup2? /{print \\$5}" /proc/self/mountinfo | tac | xargs -n1 umount -l; "$NODE" "$BIN" doctor'`,
      { env },
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/✘ mode +not mounted\n +→ mount -t cgroup2/);
    expect(stdout).toMatch(/✘ pids \(--pids-limit\) +no such controller/);
  });

  it('a fresh proc, where parts of it are mounted over', async () => {
    const { code, stdout } = await shell(
      `unshare --mount sh -c 'mount -t tmpfs none /proc/sys/fs && unshare --user --map-root-user --mount "$NODE" "$BIN" doctor'`,
      { env },
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/✘ proc +\w+: EPERM \(operation not permitted\)\n +→ /);
  });
});

it('changes nothing', async () => {
  const look = 'cat /proc/self/mountinfo; find /sys/fs/cgroup -maxdepth 3 -name "doctor*"';
  const before = await shell(look);
  await ctr(['doctor']);
  expect(await shell(look)).toEqual(before);
  expect(before.stdout).not.toContain('doctor');
});
