import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

import { afterEach, describe, expect, it } from 'vitest';

import { plan, posture, run, start } from '@ctr/runtime';

const MiB = 2 ** 20;

afterEach(() => {
  expect(readdirSync('/sys/fs/cgroup/system.slice').filter((name) => name.startsWith('ctr-'))).toEqual([]);
});

describe('a container in a scope of systemd', () => {
  it('has its limits from its first step on, exactly, in a group of its own', async () => {
    await using container = await start(['sleep', '600'], {
      cgroupManager: 'systemd',
      name: 'box',
      limits: { pids: 20, memoryBytes: 64 * MiB, cpuCores: 0.255 },
      stdio: 'ignore',
    });
    expect(readFileSync(`/proc/${container.pid}/cgroup`, 'latin1').trim()).toBe('0::/system.slice/ctr-box.scope/container');
    const read = (file: string): string => readFileSync(`/sys/fs/cgroup/system.slice/ctr-box.scope/container/${file}`, 'latin1').trim();
    expect(['pids.max', 'memory.max', 'cpu.max', 'cgroup.procs'].map(read)).toEqual(['20', '67108864', '25500 100000', String(container.pid)]);
    expect(shown('ctr-box.scope', 'TasksMax,MemoryMax,CPUQuotaPerSecUSec,Description')).toEqual([
      'CPUQuotaPerSecUSec=260ms',
      'Description=ctr container box',
      'MemoryMax=67108864',
      'TasksMax=21',
    ]);
    // The name is taken, which systemd says: the one that runs goes on.
    await expect(start(['true'], { cgroupManager: 'systemd', name: 'box' })).rejects.toThrow(/ctr-box\.scope.*UnitExists.*give another name/s);
    expect(read('cgroup.procs')).toBe(String(container.pid));
    container.kill('SIGKILL');
    await container.exited;
    expect(shown('ctr-box.scope', 'LoadState')).toEqual(['LoadState=not-found']);
  });

  it('is the top of its own control group namespace, and may not use other devices', async () => {
    const { stdout } = await run(['sh', '-c', 'cat /proc/self/cgroup; mknod /tmp/d c 1 11 2>&1 && head -c 0 /tmp/d 2>&1; true'], {
      cgroupManager: 'systemd',
      capabilities: { add: ['CAP_MKNOD'] },
    });
    expect(stdout).toMatch(/^0::\/\n.*(Operation not permitted|Permission denied)/s);
  });

  it('is measured to the end', async () => {
    const { usage, oomKilled } = await run(['sh', '-c', 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done'], { cgroupManager: 'systemd', measure: true });
    expect(oomKilled).toBe(false);
    expect(usage.source).toBe('cgroup');
    expect(usage.cpuMicroseconds).toBeGreaterThan(0);
    expect(usage.statistics?.memory?.peakBytes).toBeGreaterThan(0);
  });

  it('that was killed for lack of memory is known to have been', async () => {
    const container = await start(['sh', '-c', 'exec tail /dev/zero'], {
      cgroupManager: 'systemd',
      limits: { memoryBytes: 16 * MiB, swapBytes: 0 },
      stdio: 'ignore',
    });
    expect(await container.exited).toMatchObject({ signal: 'SIGKILL', oomKilled: true });
  });

  it('is in the slice that is named above it', async () => {
    const { stdout } = await run(['cat', '/proc/self/cgroup'], {
      cgroupManager: 'systemd',
      cgroupParent: 'ctr-test.slice',
      name: 'sliced',
      namespaces: { cgroup: 'host' },
    });
    expect(stdout).toBe('0::/ctr.slice/ctr-test.slice/ctr-sliced.scope/container\n');
  });

  it('that cannot be set up leaves no scope', async () => {
    await expect(start(['no-such-program'], { cgroupManager: 'systemd', name: 'none' })).rejects.toThrow(/no-such-program/);
    await expect(start(['true'], { cgroupManager: 'systemd', name: 'none', limits: { cpus: '4000' } })).rejects.toThrow(/cpuset\.cpus/);
    await expect(start(['true'], { cgroupManager: 'systemd', name: 'none', cancelSignal: AbortSignal.timeout(1) })).rejects.toThrow(/abort|timeout/i);
    expect(existsSync('/sys/fs/cgroup/system.slice/ctr-none.scope')).toBe(false);
    expect(shown('ctr-none.scope', 'LoadState')).toEqual(['LoadState=not-found']);
  });

  it('says in its plan what systemd is asked for', () => {
    const about = posture(plan(['true'], { cgroupManager: 'systemd', limits: { pids: 20 } }));
    expect(about.find(({ item }) => item === 'limits')?.value).toBe('pids = 20');
    expect(about.find(({ item }) => item === 'devices')?.value).toMatch(/^none but /);
  });
});

function shown(unit: string, properties: string): string[] {
  const { stdout, stderr, status } = spawnSync('systemctl', ['show', '-p', properties, unit], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim().split('\n').toSorted();
}
