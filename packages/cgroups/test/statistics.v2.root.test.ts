import { mkdirSync, rmdirSync } from 'node:fs';

import { launch, perform, type Child } from '@ctr/syscall';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createGroup, hierarchyOf, planGroup, readStatistics, removeGroup, type Cgroup, type CgroupEvent, type EventStream, type Limits } from '@ctr/cgroups';

import { checkLeftovers, enter, launched, layout, parent, removeParent, script, sleeper, takeMemory, until } from './launched.js';

const MiB = 2 ** 20;

beforeEach((context) => {
  if (['memory', 'cpu', 'io', 'pids'].some((controller) => hierarchyOf(layout, controller)?.version !== 2))
    context.skip('needs cgroup v2 with the memory, cpu, io and pids controllers');
});
afterEach(checkLeftovers);
afterAll(removeParent);

let count = 0;
const name = (): string => `counted-${(count += 1)}`;

async function withGroup(limits: Limits, test: (group: Cgroup) => Promise<void>): Promise<void> {
  const group = await createGroup(`${parent}/${name()}`, limits, { layout });
  try {
    await test(group);
  } finally {
    await group.remove();
  }
}

/** A program in the group that goes on once it has been added. */
async function startedIn(group: Cgroup, text: string): Promise<Child> {
  const child = await launch(script(`kill -STOP $$; ${text}`), { stdio: ['ignore', 'ignore', 'ignore'] });
  await group.add(child.pid);
  const timer = setInterval(() => child.kill('SIGCONT'), 5);
  void child.exited.then(() => clearInterval(timer));
  return child;
}

/** The next event of a type; what comes before it is passed over. */
async function next<Type extends CgroupEvent['type']>(events: EventStream<CgroupEvent>, type: Type): Promise<CgroupEvent & { readonly type: Type }> {
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error(`there was no ${type}`);
    if (value.type === type) return value as CgroupEvent & { readonly type: Type };
  }
}

describe('statistics on version 2', () => {
  it('has memory, processor time with what was throttled, and pressure', async () => {
    await withGroup({ memoryBytes: 64 * MiB, cpuCores: 0.2, pids: 20 }, async (group) => {
      await startedIn(group, 'while :; do :; done');
      await until('it has been throttled', () => (group.stats().cpu?.throttledMicroseconds ?? 0) > 0);
      const { cpu, memory, pids, pressure } = group.stats();
      expect(cpu?.usageMicroseconds).toBeGreaterThan(0);
      expect(cpu?.throttledPeriods).toBeGreaterThan(0);
      expect(memory).toMatchObject({ limitBytes: 64 * MiB, events: { oomKill: 0 } });
      expect(memory?.slabBytes).toBeDefined();
      expect(pids?.max).toBe(20);
      expect(pressure === undefined || pressure.cpu?.some !== undefined).toBe(true);
    });
  });
});

describe('events on version 2', () => {
  it('tells of an OOM, the limit and the kill', async () => {
    await withGroup({ memoryBytes: 16 * MiB }, async (group) => {
      await using events = group.events();
      const { exit } = await launched([...enter(group.directories[0] ?? ''), ...takeMemory(64 * MiB)]);
      const types = new Set<string>();
      while (!['memoryMax', 'oom', 'oomKill'].every((type) => types.has(type))) {
        const { value, done } = await events.next();
        if (done) break;
        types.add(value.type);
      }
      expect([...types]).toEqual(expect.arrayContaining(['memoryMax', 'oom', 'oomKill']));
      expect(exit).toMatchObject({ signal: 'SIGKILL' });
      expect(group.stats().oomKills).toBe(1);
    });
  });

  it('tells of processes that are refused', async () => {
    await withGroup({ pids: 1 }, async (group) => {
      await using events = group.events({ types: ['pidsMax'] });
      const child = await startedIn(group, '/bin/busybox cat /dev/null; :');
      expect((await next(events, 'pidsMax')).count).toBeGreaterThanOrEqual(1);
      await child.exited;
      expect(group.stats().pidsMaxHits).toBeGreaterThanOrEqual(1);
    });
  });

  it('tells of memory that is above memory.high', async () => {
    await withGroup({ memoryHighBytes: 8 * MiB, memoryBytes: 64 * MiB }, async (group) => {
      await using events = group.events({ types: ['memoryHigh'] });
      await startedIn(group, 'exec /bin/busybox dd if=/dev/zero of=/dev/null bs=24M count=1');
      expect((await next(events, 'memoryHigh')).count).toBeGreaterThanOrEqual(1);
    });
  });
});

describe('kills for lack of memory on version 2', () => {
  it('counts one in a group below, also when that is gone', async () => {
    const group = planGroup(name(), { memoryBytes: 16 * MiB, pids: 20 }, { layout, parent });
    perform([...group.create, ...group.close]);
    const below = `${group.directories[0]}/below`;
    mkdirSync(below);
    await launched([...enter(below), ...takeMemory(64 * MiB)]);
    rmdirSync(below);
    expect(group.read().oomKills).toBe(1);
    await removeGroup(group.directories);
  });

  it('counts all of them where the group is killed as a whole', async () => {
    const group = planGroup(name(), { memoryBytes: 16 * MiB, memoryOomGroup: true, pids: 20 }, { layout, parent });
    const [directory = ''] = group.directories;
    const other = await sleeper(group.steps);
    expect((await launched([...enter(directory), ...takeMemory(64 * MiB)])).exit.signal).toBe('SIGKILL');
    expect((await other.exited).signal).toBe('SIGKILL');
    const events = readStatistics([directory]).memory?.events;
    expect(events?.oomGroupKill).toBe(1);
    // The kernel counts the process that it chose, and then all of the group.
    expect(events?.oomKill).toBeGreaterThanOrEqual(2);
    expect(group.read().oomKills).toBe(events?.oomKill);
    await removeGroup(group.directories);
  });
});
