import { existsSync, mkdirSync, rmdirSync } from 'node:fs';

import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { createGroup, planGroup, readPressure, readStatistics, readUsage, removeGroup, type Cgroup, type PlannedGroup } from '@ctr/cgroups';

import { checkLeftovers, launched, layout, parent, removeParent, script, sleeper } from './launched.js';

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

describe('statistics of a real group', () => {
  it('has what its controllers count, before and after it has worked', async () => {
    await withGroup(async (group) => {
      expect(group.stats()).toMatchObject({
        cpu: { usageMicroseconds: 0, periods: 0, throttledPeriods: 0 },
        memory: { limitBytes: 64 * MiB, events: { oomKill: 0, max: 0 } },
        pids: { current: 0, max: 20, maxHits: 0 },
      });
      const child = await sleeper([]);
      await group.add(child.pid);
      const { pids, memory, cpu, pidsCurrent, memoryCurrentBytes, cpuMicroseconds } = group.stats();
      expect(pids?.current).toBe(1);
      expect([pidsCurrent, memoryCurrentBytes, cpuMicroseconds].every((value) => value !== undefined)).toBe(true);
      expect(memory?.currentBytes).toBeGreaterThanOrEqual(memory?.workingSetBytes ?? Number.NaN);
      expect(cpu?.throttledMicroseconds).toBeGreaterThanOrEqual(0);
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
    const { exit } = await launched([...group.steps, ...script('exec /bin/busybox sort /dev/zero')]);
    expect(exit.signal).toBe('SIGKILL');
    expect(group.read().oomKills).toBe(1);
    await removeGroup(group.directories);
  });

  it('counts one in a group below', async () => {
    const group = plan(16 * MiB);
    const memory = group.places.find(({ controllers }) => controllers.includes('memory'))?.directory ?? '';
    const below = `${memory}/below`;
    const { exit } = await launched([...group.steps, ...script(`mkdir ${below} && echo $$ > ${below}/cgroup.procs; exec /bin/busybox sort /dev/zero`)]);
    expect(exit.signal).toBe('SIGKILL');
    expect(existsSync(below)).toBe(true);
    expect(group.read().oomKills).toBe(1);
    expect(readStatistics(group.directories, { only: ['memory'] }).memory?.events.oomKill).toBe(1);
    await removeGroup(group.directories);
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
