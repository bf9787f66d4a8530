import { existsSync, readdirSync, readFileSync } from 'node:fs';

import { isSyscallError, type SyscallError } from '@ctr/syscall';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createGroup, groupName, hierarchyOf, planGroup, removeGroup, type Cgroup, type Limits } from '@ctr/cgroups';

import { checkLeftovers, enter, launched, layout, parent, rejection, removeParent, script, sleeper, takeMemory } from './launched.js';

const MiB = 2 ** 20;
const mount = layout.hierarchies.find(({ version }) => version === 2)?.mount ?? '';

beforeEach((context) => {
  if (['memory', 'cpu', 'io', 'pids', 'cpuset'].some((controller) => hierarchyOf(layout, controller)?.version !== 2))
    context.skip('needs cgroup v2 with the memory, cpu, cpuset, io and pids controllers');
});
afterEach(checkLeftovers);
afterAll(removeParent);

let count = 0;
const path = (): string => `${parent}/limited-${(count += 1)}`;

async function withGroup(limits: Limits, test: (group: Cgroup) => Promise<void>, at = path()): Promise<void> {
  const group = await createGroup(at, limits, { layout });
  try {
    await test(group);
  } finally {
    await group.remove();
  }
}

function read(group: Cgroup, file: string): string {
  const at = `${group.directories[0]}/${file}`;
  return existsSync(at) ? readFileSync(at, 'latin1').trim() : `there is no ${file}`;
}

function all(group: Cgroup, ...files: readonly string[]): Record<string, string> {
  return Object.fromEntries(files.map((file) => [file, read(group, file)]));
}

function failureOf(error: unknown): SyscallError {
  if (!isSyscallError(error)) throw error;
  return error;
}

/** Whole disks, by their numbers. */
function disks(): string[] {
  return readdirSync('/sys/block').map((name) => readFileSync(`/sys/block/${name}/dev`, 'latin1').trim());
}

describe('memory on version 2', () => {
  it('writes every file it has, and changes it', async () => {
    const limits: Limits = {
      memoryBytes: 64 * MiB,
      swapBytes: 0,
      memoryReservationBytes: 16 * MiB,
      memoryHighBytes: 60 * MiB,
      memoryMinBytes: 4 * MiB,
      memoryOomGroup: true,
      memoryOomKill: true,
      memoryUseHierarchy: true,
      kernelMemoryBytes: 'max',
    };
    await withGroup(limits, async (group) => {
      const files = ['memory.max', 'memory.swap.max', 'memory.low', 'memory.high', 'memory.min', 'memory.oom.group'];
      expect(all(group, ...files)).toEqual({
        'memory.max': String(64 * MiB),
        'memory.swap.max': '0',
        'memory.low': String(16 * MiB),
        'memory.high': String(60 * MiB),
        'memory.min': String(4 * MiB),
        'memory.oom.group': '1',
      });
      await group.set({ memoryBytes: 'max', swapBytes: 'max', memoryLowBytes: 0, memoryHighBytes: 'max', memoryMinBytes: 0, memoryOomGroup: false });
      expect(all(group, ...files)).toEqual({
        'memory.max': 'max',
        'memory.swap.max': 'max',
        'memory.low': '0',
        'memory.high': 'max',
        'memory.min': '0',
        'memory.oom.group': '0',
      });
    });
  });

  it('kills all of a group at once, if it is to', async () => {
    const group = planGroup(groupName(), { memoryBytes: 12 * MiB, swapBytes: 0, memoryOomGroup: true }, { layout, parent });
    const other = await sleeper(group.steps);
    const { exit } = await launched([...enter(group.directories[0] ?? ''), ...takeMemory(30 * MiB)]);
    expect(exit).toMatchObject({ signal: 'SIGKILL' });
    expect(await other.exited).toMatchObject({ signal: 'SIGKILL' });
    // The kernel counts the process that it chose, and then all of the group.
    expect(group.read().oomKills).toBeGreaterThanOrEqual(2);
    await removeGroup(group.directories);
  });

  it('refuses a limit below what is in use, if it is to check', async () => {
    await withGroup({ memoryBytes: 64 * MiB, pids: 9 }, async (group) => {
      const child = await sleeper([]);
      await group.add(child.pid);
      const below = planGroup(groupName(), {}, { layout, parent: `${parent}/uses`, measure: ['memory'] });
      await removeGroup(below.directories);
      const uses = await createGroup(path(), { memoryBytes: 64 * MiB }, { layout });
      const plan = planGroup('program', {}, { layout, parent: uses.path, measure: ['memory'] });
      await launched([
        ...plan.steps,
        ...script('head -c 8000000 /dev/zero > /dev/shm/ctr-limits; rm /dev/shm/ctr-limits; head -c 4000000 /bin/busybox > /dev/null'),
      ]);
      const used = Number(read(uses, 'memory.current'));
      if (used > 4096) expect(await rejection(uses.set({ pids: 5, memoryBytes: 4096, memoryCheckBeforeUpdate: true }))).toMatchObject({ kind: 'in-use' });
      expect(read(uses, 'memory.max')).toBe(String(64 * MiB));
      await uses.remove();
      await group.kill();
      await child.exited;
    });
  });

  it('says what it has not, before a group is made', async () => {
    const without: Limits[] = [
      { memorySwappiness: 5 },
      { memoryOomKill: false },
      { kernelMemoryBytes: 4096 },
      { kernelTcpMemoryBytes: 4096 },
      { memoryUseHierarchy: false },
    ];
    for (const limits of without)
      expect(await rejection(createGroup(path(), limits, { layout }))).toMatchObject({ name: 'CgroupError', kind: 'no-such-limit' });
  });
});

describe('cpu on version 2', () => {
  it('writes quota, period, burst and weight, and changes them in any direction', async () => {
    const limits: Limits = { cpuQuotaMicroseconds: 20_000, cpuPeriodMicroseconds: 50_000, cpuBurstMicroseconds: 10_000, cpuShares: 1024 };
    await withGroup(limits, async (group) => {
      const now = (): string => ['cpu.max', 'cpu.max.burst', 'cpu.weight'].map((file) => read(group, file)).join(', ');
      expect(now()).toBe('20000 50000, 10000, 100');
      const turns: [Limits, string][] = [
        [{ cpuQuotaMicroseconds: 5000, cpuPeriodMicroseconds: 10_000, cpuBurstMicroseconds: 1000 }, '5000 10000, 1000, 100'],
        [{ cpuQuotaMicroseconds: 900_000, cpuPeriodMicroseconds: 1_000_000, cpuBurstMicroseconds: 900_000 }, '900000 1000000, 900000, 100'],
        [{ cpuBurstMicroseconds: 0, cpuCores: 0.25 }, '250000 1000000, 0, 100'],
        [{ cpuQuotaMicroseconds: 40_000 }, '40000 1000000, 0, 100'],
        [{ cpuPeriodMicroseconds: 100_000 }, '40000 100000, 0, 100'],
        [{ cpuCores: 'max', cpuWeight: 50 }, 'max 100000, 0, 50'],
      ];
      for (const [change, expected] of turns) {
        await group.set(change);
        expect(now()).toBe(expected);
      }
    });
  });

  it('makes a group idle, and wakes it with a weight', async (context) => {
    await withGroup({ cpuIdle: true }, async (group) => {
      if (read(group, 'cpu.idle').startsWith('there is no')) context.skip('this kernel has no idle groups');
      expect(read(group, 'cpu.idle')).toBe('1');
      expect(failureOf(await rejection(group.set({ cpuWeight: 200 }))).message).toContain('an idle group has no weight: set cpuIdle to false');
      await group.set({ cpuIdle: false, cpuWeight: 200 });
      expect([read(group, 'cpu.idle'), read(group, 'cpu.weight')]).toEqual(['0', '200']);
    });
  });

  it('has no real time for groups', async () => {
    expect(await rejection(createGroup(path(), { cpuRealtimeRuntimeMicroseconds: 0 }, { layout }))).toMatchObject({ kind: 'no-such-limit' });
  });
});

describe('cpuset on version 2', () => {
  it('has a process run where it may', async () => {
    const first = readFileSync(`${mount}/cpuset.cpus.effective`, 'latin1').split(/[-,\n]/)[0] ?? '0';
    const plan = planGroup(groupName(), { cpus: first, memoryNodes: '0' }, { layout, parent: `${parent}/a/b` });
    const { output } = await launched([...plan.steps, ...script('grep ^Cpus_allowed_list /proc/self/status')]);
    expect(output).toBe(`Cpus_allowed_list:\t${first}`);
    await removeGroup(plan.directories);
    await removeGroup([`${mount}${parent}/a`]);
  });

  it('lifts what was set when another limit is refused', async () => {
    await withGroup({ pids: 9, memoryNodes: '0' }, async (group) => {
      const child = await sleeper([]);
      await group.add(child.pid);
      const error = failureOf(await rejection(group.set({ pids: 5, cpus: '0', unified: { 'pids.max': 'many' } })));
      expect(error).toMatchObject({ code: 'EINVAL' });
      expect(error.line).toContain('pids.max, "many"');
      // With a process in it, the list cannot be made empty again: it becomes what it stood for.
      const top = readFileSync(`${mount}/cpuset.cpus.effective`, 'latin1').trim();
      expect(error.message).toMatch(new RegExp(String.raw`taken back: \S+/cpuset\.cpus = ${top}, \S+/pids\.max = 9$`));
      expect([read(group, 'pids.max'), read(group, 'cpuset.cpus')]).toEqual(['9', top]);
      await group.kill();
      await child.exited;
    });
  });
});

describe('io on version 2', () => {
  it('throttles a disk, and lets it go again', async (context) => {
    const [device] = disks();
    if (device === undefined) return context.skip('this machine has no disk');
    const limits: Limits = { ioDevices: [{ device, readBytesPerSecond: MiB, writeOperationsPerSecond: 200 }] };
    await withGroup(limits, async (group) => {
      expect(read(group, 'io.max')).toBe(`${device} rbps=${MiB} wbps=max riops=max wiops=200`);
      const twice: Limits = {
        ioDevices: [
          { device, readBytesPerSecond: 5, writeBytesPerSecond: 6 },
          { device: '4095:1', readBytesPerSecond: 5 },
        ],
      };
      expect(await rejection(group.set(twice))).toMatchObject({ code: 'ENODEV' });
      expect(read(group, 'io.max')).toBe(`${device} rbps=${MiB} wbps=max riops=max wiops=200`);
      await group.set({ ioDevices: [{ device, readBytesPerSecond: 'max', writeOperationsPerSecond: 'max' }] });
      expect(read(group, 'io.max')).toBe('');
      expect(await rejection(group.set(twice))).toMatchObject({ code: 'ENODEV' });
      expect(read(group, 'io.max')).toBe('');
    });
  });

  it('weighs groups by what the kernel has', async () => {
    const error = await withGroup({ blkioWeight: 500 }, async (group) => {
      const now = (): Record<string, string> => all(group, 'io.weight', 'io.bfq.weight');
      const expected = (cost: number, bfq: number): Record<string, string> => {
        const files = { 'io.weight': `default ${cost}`, 'io.bfq.weight': `default ${bfq}` };
        return Object.fromEntries(Object.entries(files).map(([file, value]) => [file, now()[file]?.startsWith('there is no') ? (now()[file] ?? '') : value]));
      };
      expect(now()).toEqual(expected(4950, 500));
      await group.set({ ioWeight: 100 });
      expect(now()).toEqual(expected(100, 100));
      expect(await rejection(group.set({ ioWeight: 200, ioDevices: [{ device: '4095:1', readBytesPerSecond: 5 }] }))).toMatchObject({ code: 'ENODEV' });
      expect(now()).toEqual(expected(100, 100));
    }).catch((refusal: unknown) => refusal);
    if (error !== undefined) expect(failureOf(error).message).toContain('this kernel has neither the BFQ scheduler in it');
  });

  it('has no weight of leaves', async () => {
    expect(await rejection(createGroup(path(), { ioLeafWeight: 10 }, { layout }))).toMatchObject({ kind: 'no-such-limit' });
  });
});

describe('the other limits of version 2', () => {
  it('are huge pages', async (context) => {
    if (hierarchyOf(layout, 'hugetlb')?.version !== 2) context.skip('needs cgroup v2 with the hugetlb controller');
    await withGroup({ hugepages: { '2MB': 4 * MiB } }, async (group) => {
      expect(all(group, 'hugetlb.2MB.max', 'hugetlb.2MB.rsvd.max')).toEqual({ 'hugetlb.2MB.max': String(4 * MiB), 'hugetlb.2MB.rsvd.max': String(4 * MiB) });
      await group.set({ hugepages: { '2MB': 'max' } });
      expect(read(group, 'hugetlb.2MB.max')).toBe('max');
    });
    const error = failureOf(await rejection(createGroup(path(), { hugepages: { '128MB': 0 } }, { layout })));
    expect(error.message).toContain('this kernel has no huge pages of that size');
  });

  it('are what the machine counts otherwise', async (context) => {
    if (hierarchyOf(layout, 'misc')?.version !== 2) context.skip('needs cgroup v2 with the misc controller');
    const error = failureOf(await rejection(createGroup(path(), { misc: { 'no-such-thing': 1 } }, { layout })));
    expect(error.message).toContain('misc.capacity of the root group lists what it has');
  });

  it('are RDMA devices', async (context) => {
    if (hierarchyOf(layout, 'rdma')?.version !== 2) context.skip('needs cgroup v2 with the rdma controller');
    const error = failureOf(await rejection(createGroup(path(), { rdma: { mlx5_9: { hcaHandles: 1 } } }, { layout })));
    expect(error.message).toContain('there is no RDMA device of that name');
  });

  it('are whether pressure is measured', async (context) => {
    await withGroup({ pressure: false }, async (group) => {
      if (read(group, 'cgroup.pressure').startsWith('there is no')) context.skip('this kernel has no cgroup.pressure');
      expect(read(group, 'cgroup.pressure')).toBe('0');
      await group.set({ pressure: true });
      expect(read(group, 'cgroup.pressure')).toBe('1');
    }).catch((error: unknown) => {
      if (isSyscallError(error)) expect(error.message).toContain('have no such switch');
      else throw error;
    });
  });

  it('are files by their names, written last', async () => {
    const unified = { 'memory.high': '64M', 'cgroup.max.depth': '2', 'cpu.weight': '7', 'io.max': `${disks()[0] ?? '8:0'} rbps=1000` };
    await withGroup({ cpuWeight: 50, unified }, async (group) => {
      expect(all(group, 'memory.high', 'cgroup.max.depth', 'cpu.weight')).toEqual({
        'memory.high': String(64 * MiB),
        'cgroup.max.depth': '2',
        'cpu.weight': '7',
      });
      expect(read(group, 'io.max')).toContain('rbps=1000 wbps=max');
      const error = failureOf(
        await rejection(group.set({ unified: { 'memory.high': '32M', 'io.max': `${disks()[0] ?? '8:0'} wbps=5`, 'memory.max': 'much' } })),
      );
      expect(error.line).toContain('memory.max, "much"');
      expect(read(group, 'memory.high')).toBe(String(64 * MiB));
      expect(read(group, 'io.max')).toContain('rbps=1000 wbps=max');
    });
  });

  it('can be set for a controller that the group was not made for, where the one above passes it on', async () => {
    await withGroup({ pids: 9, memoryBytes: 64 * MiB }, async () => {
      await withGroup({ pids: 9 }, async (group) => {
        await group.set({ memoryBytes: 32 * MiB });
        expect(read(group, 'memory.max')).toBe(String(32 * MiB));
      });
    });
    expect(await rejection(createGroup(path(), { networkClassId: 5 }, { layout }))).toMatchObject({ kind: 'no-such-limit' });
  });
});
