import { existsSync, mkdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { perform } from '@ctr/syscall';
import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { createGroup, hierarchyOf, planGroup, readPressure, readStatistics, readUsage, removeGroup, type Cgroup, type PlannedGroup } from '@ctr/cgroups';

import { checkLeftovers, enter, launched, layout, parent, removeParent, script, sleeper, takeMemory } from './launched.js';

const MiB = 2 ** 20;

afterEach(checkLeftovers);
afterAll(removeParent);

let count = 0;
const name = (): string => `counted-${(count += 1)}`;

async function withGroup(test: (group: Cgroup) => Promise<void>): Promise<void> {
  const group = await createGroup(`${parent}/${name()}`, { pids: 20, memoryBytes: 64 * MiB, cpuCores: 1 }, { layout, measure: ['cpu'] });
  try {
    await test(group);
  } finally {
    await group.remove();
  }
}

const plan = (memoryBytes: number | 'max'): PlannedGroup => planGroup(name(), { memoryBytes, pids: 20 }, { layout, parent, measure: ['cpu'] });

/** The numbers of the device that a file system is on. */
function deviceOf(path: string): string {
  const { dev } = statSync(path);
  return `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
}

describe('statistics of a real group', () => {
  it('has what its controllers count, before and after it has worked', async () => {
    await withGroup(async (group) => {
      expect(group.stats()).toMatchObject({
        cpu: { usageMicroseconds: 0, throttledPeriods: 0 },
        memory: { limitBytes: 64 * MiB, events: { oomKill: 0, max: 0 } },
        pids: { current: 0, max: 20, maxHits: 0 },
      });
      const child = await sleeper([]);
      await group.add(child.pid);
      const { pids, memory, cpu, pidsCurrent, memoryCurrentBytes, cpuMicroseconds } = group.stats();
      expect(pids?.current).toBe(1);
      expect([pidsCurrent, memoryCurrentBytes, cpuMicroseconds].every((value) => value !== undefined)).toBe(true);
      expect(memory?.currentBytes).toBeGreaterThanOrEqual(memory?.workingSetBytes ?? Number.NaN);
      // Both may count before anything has run: the kernel counts the period in which the limit was set.
      expect([cpu?.periods, cpu?.throttledMicroseconds].every((value) => value !== undefined)).toBe(true);
    });
  });

  it('tells nothing of it when it is gone, nor while it goes', async () => {
    await withGroup(async (group) => {
      for (const directory of group.directories) {
        rmdirSync(directory);
        expect(() => group.stats()).not.toThrow();
      }
      expect(Object.values(group.stats()).filter((value) => value !== undefined)).toEqual([]);
      await Promise.resolve();
    });
  });

  it('counts the processes that were refused', async () => {
    const group = planGroup(name(), { pids: 1 }, { layout, parent });
    await launched([...group.steps, ...script('/bin/busybox cat /dev/null; :')]);
    expect(readUsage(group.directories).pidsMaxHits).toBeGreaterThanOrEqual(1);
    expect(readStatistics(group.directories).pids?.maxHits).toBeGreaterThanOrEqual(1);
    await removeGroup(group.directories);
  });
});

describe('kills for lack of memory', () => {
  it('counts one in the group itself', async () => {
    const group = plan(16 * MiB);
    const { exit } = await launched([...group.steps, ...takeMemory(64 * MiB)]);
    expect(exit.signal).toBe('SIGKILL');
    expect(group.read().oomKills).toBe(1);
    await removeGroup(group.directories);
  });

  it('counts one in a group below', async () => {
    const group = plan(16 * MiB);
    const memory = group.places.find(({ controllers }) => controllers.includes('memory'))?.directory ?? '';
    const below = `${memory}/below`;
    perform([...group.create, ...group.close]);
    mkdirSync(below);
    const { exit } = await launched([...enter(below), ...takeMemory(64 * MiB)]);
    expect(exit.signal).toBe('SIGKILL');
    expect(existsSync(below)).toBe(true);
    expect(group.read().oomKills).toBe(1);
    expect(readStatistics(group.directories, { only: ['memory'] }).memory?.events.oomKill).toBe(1);
    await removeGroup(group.directories);
  });
});

describe('statistics of block devices', () => {
  it('count what was written to a disk', async (context) => {
    // On another disk than /tmp, where that is in memory: see tools/vm/init.
    const path = join('/var/tmp', `ctr-${process.pid}`);
    if (!existsSync(`/sys/dev/block/${deviceOf('/var/tmp')}`)) return context.skip('/var/tmp is not on a disk');
    if (!hierarchyOf(layout, 'io') && !hierarchyOf(layout, 'blkio')) return context.skip('there is no controller of block devices');
    const group = planGroup(name(), {}, { layout, parent, measure: ['io'] });
    // Directly: what the kernel writes later is nobody's on version 1.
    try {
      const { exit } = await launched([...group.steps, ...script(`exec /bin/dd if=/dev/zero of=${path} bs=1M count=4 oflag=direct`)]);
      expect(exit.code).toBe(0);
      const { io = [] } = readStatistics(group.directories);
      // Of a disk without a rule blk-throttle passed the counting by, until it was mended ("blk-throttle: fix io statistics for cgroup v1").
      if (group.places[0]?.version === 1 && io.every(({ writeBytes }) => writeBytes === 0 || writeBytes === undefined))
        return context.skip('on version 1, this kernel counts only where a device is limited');
      expect(io.some(({ writeBytes }) => (writeBytes ?? 0) >= 4 * MiB)).toBe(true);
      expect(io.some(({ writeOperations }) => (writeOperations ?? 0) > 0)).toBe(true);
    } finally {
      rmSync(path, { force: true });
      await removeGroup(group.directories);
    }
  });
});

describe('readPressure', () => {
  it('reads that of the system', (context) => {
    if (!existsSync('/proc/pressure/cpu')) context.skip('needs pressure stall information (CONFIG_PSI, psi=1)');
    const { cpu, memory, io } = readPressure();
    for (const pressure of [cpu, memory, io]) expect(pressure?.some?.totalMicroseconds).toBeGreaterThanOrEqual(0);
  });

  it('reads that of a group on version 2', async (context) => {
    const hierarchy = layout.hierarchies.find(({ version }) => version === 2);
    if (!hierarchy || !existsSync(`${hierarchy.mount}/cpu.pressure`)) return context.skip('needs cgroup v2 with pressure stall information');
    const directory = `${hierarchy.mount}${parent}/${name()}`;
    mkdirSync(directory, { recursive: true });
    expect(readPressure(directory).memory).toEqual({
      some: { avg10: 0, avg60: 0, avg300: 0, totalMicroseconds: 0 },
      full: { avg10: 0, avg60: 0, avg300: 0, totalMicroseconds: 0 },
    });
    const { pressure } = readStatistics([directory]);
    expect(pressure?.cpu?.some).toBeDefined();
    await removeGroup([directory]);
  });
});
