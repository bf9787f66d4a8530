import { readFileSync } from 'node:fs';

import { hierarchyOf, readLayout } from '@ctr/cgroups';
import { explain } from '@ctr/syscall';
import { beforeEach, describe, expect, it } from 'vitest';

import { plan, run, start } from '@ctr/runtime';

import { sharedImage } from './image.js';
import { watchForLeaks } from './leaks.js';

watchForLeaks();
const image = sharedImage();
const layout = readLayout();

beforeEach((context) => {
  if (layout.mode !== 'v2' || hierarchyOf(layout, 'pids') === undefined) context.skip('needs cgroup v2 alone, with the pids controller');
});

describe('a container on cgroup v2', () => {
  it('is born in its group', () => {
    const text = explain(plan(['true'], { rootfs: image.path }));
    expect(text).toContain('CLONE_INTO_CGROUP');
    expect(text.indexOf('unshare(CLONE_NEWCGROUP)')).toBeGreaterThan(text.indexOf('CLONE_INTO_CGROUP'));
    // Where the host maps ids, or namespaces are joined, the process could not get in from there.
    expect(explain(plan(['true'], { rootfs: image.path, namespaces: { uts: { pid: process.pid } } }))).not.toContain('CLONE_INTO_CGROUP');
  });

  it('is there before its program, sees it as the top, and has none of its files open', async () => {
    const { stdout } = await run(['sh', '-c', 'cat /proc/self/cgroup; ls -l /proc/self/fd'], { rootfs: image.path });
    expect(stdout).toMatch(/^0::\/\n/);
    expect(stdout).not.toContain('/sys/fs/cgroup');
    await using container = await start(['sleep', '1000'], { rootfs: image.path, stdio: 'ignore', limits: { pids: 20 } });
    expect(readFileSync(`/proc/${container.pid}/cgroup`, 'latin1')).toMatch(/^0::\/ctr\//);
  });

  it('likewise in a user namespace, in a time namespace, without a cgroup namespace, and with an init', async () => {
    const of = async (options: Parameters<typeof run>[1]): Promise<string> =>
      (await run(['cat', '/proc/self/cgroup'], { rootfs: image.path, ...options })).stdout.trim();
    expect(await of({ namespaces: { time: 'new' } })).toBe('0::/');
    expect(await of({ init: true })).toBe('0::/');
    expect(await of({ namespaces: { cgroup: 'host' } })).toMatch(/^0::\/ctr\//);
    expect(await of({ namespaces: { user: 'new' }, ids: 'own' })).toBe('0::/');
    expect(await of({ namespaces: { user: 'new' } })).toBe('0::/');
  });
});
