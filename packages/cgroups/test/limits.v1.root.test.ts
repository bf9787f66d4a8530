import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { isSyscallError, Memory, SyscallError, type Step } from '@ctr/syscall';
import { afterAll, afterEach, describe, expect, it, type TestContext } from 'vitest';

import { createGroup, groupName, hierarchyOf, planGroup, removeGroup, type Cgroup, type CgroupLayout, type Limits } from '@ctr/cgroups';

import { takeBack } from '../src/take-back.js';

import { checkLeftovers, launched, layout, parent, rejection, removeParent, script, sleeper } from './launched.js';

const MiB = 2 ** 20;
/** linux/sched.h */
const SCHED_FIFO = 1;
const UNLIMITED = '9223372036854771712';
const unified: CgroupLayout = { mode: 'v2', hierarchies: layout.hierarchies.filter(({ version }) => version === 2) };

let count = 0;
const path = (): string => `${parent}/limited-${(count += 1)}`;

/** Skips where one of the controllers is not one of version 1 here. */
function needs(context: TestContext, ...controllers: readonly string[]): void {
  const missing = controllers.filter((name) => hierarchyOf(layout, name)?.version !== 1);
  if (missing.length > 0) context.skip(`needs cgroup v1 with the ${missing.join(' and ')} controller`);
}

async function withGroup(limits: Limits, test: (group: Cgroup) => Promise<void>, options: { path?: string; layout?: CgroupLayout } = {}): Promise<void> {
  const group = await createGroup(options.path ?? path(), limits, { layout: options.layout ?? layout });
  try {
    await test(group);
  } finally {
    await group.remove();
  }
}

/** What a control file of a group says. */
function read(group: Cgroup, file: string): string {
  const at = group.directories.find((directory) => existsSync(`${directory}/${file}`));
  return at === undefined ? `there is no ${file}` : readFileSync(`${at}/${file}`, 'latin1').trim();
}

/** Whole disks, by their numbers. */
function disks(): string[] {
  return readdirSync('/sys/block').map((name) => readFileSync(`/sys/block/${name}/dev`, 'latin1').trim());
}

function failureOf(error: unknown): SyscallError {
  if (!isSyscallError(error)) throw error;
  return error;
}

afterEach(checkLeftovers);
afterAll(removeParent);

describe('a real-time process', () => {
  it('is told why it cannot join a group that has no share of that time', async (context) => {
    needs(context, 'cpu');
    const cpu = hierarchyOf(layout, 'cpu');
    if (!existsSync(`${cpu?.mount}/cpu.rt_runtime_us`)) context.skip('this kernel keeps no real-time shares of groups: CONFIG_RT_GROUP_SCHED');
    const group = planGroup(groupName(), { cpuShares: 512 }, { layout, parent });
    // sched_param of sched.h: its priority.
    const realTime: Step = {
      call: 'sched_setscheduler',
      args: [0, SCHED_FIFO, new Memory(new Uint8Array(Int32Array.of(1).buffer), 'priority')],
      purpose: 'be real-time',
    };
    const error = failureOf(await rejection(launched([realTime, ...group.steps, ...script('true')])));
    expect(error).toMatchObject({ code: 'EINVAL', purpose: 'join the group' });
    expect(error.message).toContain('cpu.rt_runtime_us');
    await removeGroup(group.directories);
  });
});

describe('memory on version 1', () => {
  it('writes every file it has', async (context) => {
    needs(context, 'memory');
    const limits: Limits = {
      memoryBytes: 64 * MiB,
      memoryReservationBytes: 32 * MiB,
      memorySwappiness: 150,
      memoryOomKill: false,
      kernelTcpMemoryBytes: 8 * MiB,
      kernelMemoryBytes: 'max',
      memoryUseHierarchy: true,
      memoryOomGroup: false,
    };
    await withGroup(limits, async (group) => {
      expect(read(group, 'memory.limit_in_bytes')).toBe(String(64 * MiB));
      expect(read(group, 'memory.soft_limit_in_bytes')).toBe(String(32 * MiB));
      expect(read(group, 'memory.swappiness')).toBe('150');
      expect(read(group, 'memory.oom_control')).toContain('oom_kill_disable 1');
      expect(read(group, 'memory.kmem.tcp.limit_in_bytes')).toBe(String(8 * MiB));
      await group.set({ memoryOomKill: true, memorySwappiness: 0, kernelTcpMemoryBytes: 'max', memoryReservationBytes: 'max' });
      expect(read(group, 'memory.oom_control')).toContain('oom_kill_disable 0');
      expect(read(group, 'memory.swappiness')).toBe('0');
      expect(read(group, 'memory.kmem.tcp.limit_in_bytes')).toBe(UNLIMITED);
      expect(read(group, 'memory.soft_limit_in_bytes')).toBe(UNLIMITED);
    });
  });

  it('raises and lowers memory and swap, together and alone', async (context) => {
    needs(context, 'memory');
    await withGroup({ memoryBytes: 32 * MiB, swapBytes: 16 * MiB }, async (group) => {
      const now = (): string => `${Number(read(group, 'memory.limit_in_bytes')) / MiB} of ${Number(read(group, 'memory.memsw.limit_in_bytes')) / MiB}`;
      if (read(group, 'memory.memsw.limit_in_bytes').startsWith('there is no')) context.skip('this kernel counts no swap on version 1');
      expect(now()).toBe('32 of 48');
      const turns: [Limits, string][] = [
        [{ memoryBytes: 64 * MiB, swapBytes: 0 }, '64 of 64'],
        [{ memoryBytes: 128 * MiB }, '128 of 128'],
        [{ swapBytes: 8 * MiB }, '128 of 136'],
        [{ memoryBytes: 16 * MiB }, '16 of 24'],
        [{ memoryBytes: 8 * MiB, swapBytes: 64 * MiB }, '8 of 72'],
        [{ memoryBytes: 256 * MiB, swapBytes: 1 * MiB }, '256 of 257'],
      ];
      for (const [limits, expected] of turns) {
        await group.set(limits);
        expect(now()).toBe(expected);
      }
      await group.set({ memoryBytes: 'max' });
      expect(read(group, 'memory.memsw.limit_in_bytes')).toBe(UNLIMITED);
      expect(await rejection(group.set({ swapBytes: 5 * MiB }))).toMatchObject({ kind: 'no-such-limit' });
      await group.set({ memoryBytes: 8 * MiB, swapBytes: 0 });
      expect(now()).toBe('8 of 8');
    });
  });

  it('refuses a limit below what is in use, if it is to check', async (context) => {
    needs(context, 'memory');
    await withGroup({ memoryBytes: 64 * MiB, pids: 9 }, async (group) => {
      const child = await sleeper([]);
      await group.add(child.pid);
      // Of a process that sleeps nothing may be counted: a file system's page is.
      const plan = planGroup('below', {}, { layout, parent: group.path, measure: ['memory'] });
      await launched([...plan.steps, ...script('head -c 4000000 /dev/zero > /dev/null')]);
      await removeGroup(plan.directories);
      const used = Number(read(group, 'memory.usage_in_bytes'));
      if (used <= 4096) context.skip('nothing of it is counted as used here');
      const error = await rejection(group.set({ pids: 3, memoryBytes: 4096, memoryCheckBeforeUpdate: true }));
      expect(error).toMatchObject({ kind: 'in-use' });
      expect(read(group, 'pids.max')).toBe('9');
      expect(read(group, 'memory.limit_in_bytes')).toBe(String(64 * MiB));
      await group.kill();
      await child.exited;
    });
  });

  it('says what it has not, before a group is made', async (context) => {
    needs(context, 'memory');
    const without: Limits[] = [
      { memoryHighBytes: 5 },
      { memoryMinBytes: 5 },
      { memoryOomGroup: true },
      { kernelMemoryBytes: 4096 },
      { memoryUseHierarchy: false },
      { swapBytes: 5 },
    ];
    for (const limits of without)
      expect(await rejection(createGroup(path(), limits, { layout }))).toMatchObject({ name: 'CgroupError', kind: 'no-such-limit' });
  });
});

describe('cpu on version 1', () => {
  it('writes quota, period, burst and shares, and changes them in any direction', async (context) => {
    needs(context, 'cpu');
    const limits: Limits = { cpuQuotaMicroseconds: 20_000, cpuPeriodMicroseconds: 50_000, cpuBurstMicroseconds: 10_000, cpuShares: 1000 };
    await withGroup(limits, async (group) => {
      const now = (): string => ['cpu.cfs_quota_us', 'cpu.cfs_period_us', 'cpu.cfs_burst_us', 'cpu.shares'].map((file) => read(group, file)).join(' ');
      expect(now()).toBe('20000 50000 10000 1000');
      const turns: [Limits, string][] = [
        [{ cpuQuotaMicroseconds: 5000, cpuPeriodMicroseconds: 10_000, cpuBurstMicroseconds: 1000 }, '5000 10000 1000 1000'],
        [{ cpuQuotaMicroseconds: 900_000, cpuPeriodMicroseconds: 1_000_000, cpuBurstMicroseconds: 900_000 }, '900000 1000000 900000 1000'],
        [{ cpuBurstMicroseconds: 0, cpuCores: 0.25 }, '250000 1000000 0 1000'],
        [{ cpuCores: 'max', cpuPeriodMicroseconds: 100_000, cpuWeight: 50 }, '-1 100000 0 512'],
      ];
      for (const [change, expected] of turns) {
        await group.set(change);
        expect(now()).toBe(expected);
      }
    });
  });

  it('makes a group idle, and wakes it with a weight', async (context) => {
    needs(context, 'cpu');
    await withGroup({ cpuIdle: true }, async (group) => {
      if (read(group, 'cpu.idle').startsWith('there is no')) context.skip('this kernel has no idle groups');
      expect(read(group, 'cpu.idle')).toBe('1');
      const error = failureOf(await rejection(group.set({ cpuWeight: 200 })));
      expect(error).toMatchObject({ code: 'EINVAL' });
      expect(error.message).toContain('an idle group has no weight: set cpuIdle to false');
      await group.set({ cpuIdle: false, cpuWeight: 200 });
      expect([read(group, 'cpu.idle'), read(group, 'cpu.shares')]).toEqual(['0', '2048']);
    });
  });

  it('gives time to real-time processes, as far as the group above has it', async (context) => {
    needs(context, 'cpu');
    const top = hierarchyOf(layout, 'cpu')?.mount ?? '';
    if (!existsSync(`${top}/cpu.rt_runtime_us`)) context.skip('this kernel was built without groups of real-time processes');
    const limits: Limits = { cpuRealtimeRuntimeMicroseconds: 1000, cpuRealtimePeriodMicroseconds: 500_000 };
    await withGroup(
      limits,
      async (group) => {
        expect([read(group, 'cpu.rt_runtime_us'), read(group, 'cpu.rt_period_us')]).toEqual(['1000', '500000']);
        await group.set({ cpuRealtimeRuntimeMicroseconds: 100, cpuRealtimePeriodMicroseconds: 1000 });
        await group.set({ cpuRealtimeRuntimeMicroseconds: 2000, cpuRealtimePeriodMicroseconds: 1_000_000 });
        expect([read(group, 'cpu.rt_runtime_us'), read(group, 'cpu.rt_period_us')]).toEqual(['2000', '1000000']);
      },
      { path: `/ctr-test-realtime-${process.pid}` },
    );
    // The group above has none.
    const error = failureOf(await rejection(createGroup(path(), limits, { layout })));
    expect(error.message).toContain('the groups above have to have as much real-time');
  });
});

describe('cpuset on version 1', () => {
  const mount = hierarchyOf(layout, 'cpuset')?.mount ?? '';
  const top = (file: string): string => readFileSync(`${mount}/${file}`, 'latin1').trim();

  it('gives a new group, and those above, what they need for a process to be in', async (context) => {
    needs(context, 'cpuset');
    const first = top('cpuset.cpus').split(/[-,]/)[0] ?? '0';
    const plan = planGroup(groupName(), { cpus: first }, { layout, parent: `${parent}/a/b` });
    const { output } = await launched([...plan.steps, ...script('grep -E "^(Cpus|Mems)_allowed_list" /proc/self/status')]);
    expect(output).toBe(`Cpus_allowed_list:\t${first}\nMems_allowed_list:\t${top('cpuset.mems')}`);
    const [directory = ''] = plan.directories;
    expect(readFileSync(`${directory}/cpuset.cpus`, 'latin1').trim()).toBe(first);
    expect(readFileSync(`${directory}/cpuset.mems`, 'latin1').trim()).toBe(top('cpuset.mems'));
    for (const above of ['a', 'a/b']) expect(readFileSync(`${mount}${parent}/${above}/cpuset.cpus`, 'latin1').trim()).toBe(top('cpuset.cpus'));
    await removeGroup(plan.directories);
    await removeGroup([`${mount}${parent}/a`]);
  });

  it('leaves a group above as it was limited', async (context) => {
    needs(context, 'cpuset');
    const first = top('cpuset.cpus').split(/[-,]/)[0] ?? '0';
    await withGroup({ cpus: first }, async (above) => {
      await withGroup(
        { memoryNodes: top('cpuset.mems') },
        async (group) => {
          expect(read(group, 'cpuset.cpus')).toBe(first);
          expect(read(above, 'cpuset.cpus')).toBe(first);
          const child = await sleeper([]);
          await group.add(child.pid);
          expect(readFileSync(`/proc/${child.pid}/status`, 'latin1')).toContain(`Cpus_allowed_list:\t${first}\n`);
          await group.kill();
          await child.exited;
        },
        { path: `${above.path}/below` },
      );
    });
  });

  it('says that the machine has not so many', async (context) => {
    needs(context, 'cpuset');
    const error = failureOf(await rejection(createGroup(path(), { cpus: '8000' }, { layout })));
    expect(error.message).toMatch(/this machine, or the group above, has not all of these|this machine has none of these|this kernel is built for fewer/);
    await withGroup({ cpus: top('cpuset.cpus') }, async (group) => {
      const refused = failureOf(await rejection(group.set({ memoryNodes: top('cpuset.mems'), cpus: '8000' })));
      expect(refused.line).toContain('cpuset.cpus, "8000"');
      expect(read(group, 'cpuset.cpus')).toBe(top('cpuset.cpus'));
    });
  });
});

describe('blkio on version 1', () => {
  it('throttles a disk, and lets it go again', async (context) => {
    needs(context, 'blkio');
    const [device] = disks();
    if (device === undefined) return context.skip('this machine has no disk');
    const limits: Limits = {
      ioDevices: [{ device, readBytesPerSecond: MiB, writeBytesPerSecond: 2 * MiB, readOperationsPerSecond: 100, writeOperationsPerSecond: 200 }],
    };
    await withGroup(limits, async (group) => {
      const now = (): string[] => ['read_bps', 'write_bps', 'read_iops', 'write_iops'].map((what) => read(group, `blkio.throttle.${what}_device`));
      expect(now()).toEqual([`${device} ${MiB}`, `${device} ${2 * MiB}`, `${device} 100`, `${device} 200`]);
      // One is refused: those before it are as they were, the one that had no limit too.
      await group.set({ ioDevices: [{ device, readBytesPerSecond: 'max' }] });
      const error = failureOf(
        await rejection(
          group.set({
            ioDevices: [
              { device, readBytesPerSecond: 5, writeBytesPerSecond: 6 },
              { device: '4095:1', readBytesPerSecond: 5 },
            ],
          }),
        ),
      );
      expect(error).toMatchObject({ code: 'ENODEV' });
      expect(error.message).toContain('there is no disk of these numbers');
      expect(error.message).toContain(`blkio.throttle.write_bps_device = ${device} ${2 * MiB}`);
      expect(now()).toEqual(['', `${device} ${2 * MiB}`, `${device} 100`, `${device} 200`]);
      await group.set({ ioDevices: [{ device, writeBytesPerSecond: 'max', readOperationsPerSecond: 'max', writeOperationsPerSecond: 'max' }] });
      expect(now()).toEqual(['', '', '', '']);
    });
  });

  it('weighs groups, where the kernel has what weighs them', async (context) => {
    needs(context, 'blkio');
    const error = await withGroup({ blkioWeight: 500 }, async (group) => {
      expect(read(group, 'blkio.bfq.weight')).toBe('500');
      await group.set({ ioWeight: 10_000 });
      expect(read(group, 'blkio.bfq.weight')).toBe('1000');
    }).catch((refusal: unknown) => refusal);
    if (error === undefined) return;
    expect(failureOf(error).message).toContain('this kernel has not the BFQ scheduler in it');
  });

  it('says that a disk is not scheduled by weight', async (context) => {
    needs(context, 'blkio');
    const name = readdirSync('/sys/block').find(
      (each) => existsSync(`/sys/block/${each}/queue/scheduler`) && !readFileSync(`/sys/block/${each}/queue/scheduler`, 'latin1').includes('[bfq]'),
    );
    if (name === undefined) return context.skip('this machine has no disk without BFQ');
    const device = readFileSync(`/sys/block/${name}/dev`, 'latin1').trim();
    const error = failureOf(await rejection(createGroup(path(), { ioDevices: [{ device, weight: 50 }] }, { layout })));
    expect(error.message).toMatch(/the scheduler of this disk weighs no groups against each other|this kernel has not the BFQ scheduler in it/);
  });

  it('has no weight of leaves any more, and leaves nothing behind that says so', async (context) => {
    needs(context, 'blkio');
    const error = failureOf(await rejection(createGroup(path(), { ioLeafWeight: 10 }, { layout })));
    expect(error).toMatchObject({ code: 'ENOENT' });
    expect(error.message).toContain('which no kernel since 5.0 has');
    await withGroup({ blkioWeight: 500 }, async (group) => {
      expect(failureOf(await rejection(group.set({ ioLeafWeight: 10 }))).message).toContain('which no kernel since 5.0 has');
    }).catch((refusal: unknown) => expect(failureOf(refusal).code).toBe('ENOENT'));
  });
});

describe('the other controllers of version 1', () => {
  it('limit huge pages', async (context) => {
    needs(context, 'hugetlb');
    await withGroup({ hugepages: { '2MB': 4 * MiB } }, async (group) => {
      expect([read(group, 'hugetlb.2MB.limit_in_bytes'), read(group, 'hugetlb.2MB.rsvd.limit_in_bytes')]).toEqual([String(4 * MiB), String(4 * MiB)]);
      await group.set({ hugepages: { '2MB': 0 } });
      expect(read(group, 'hugetlb.2MB.limit_in_bytes')).toBe('0');
    });
  });

  it('mark what is sent', async (context) => {
    needs(context, 'net_cls', 'net_prio');
    await withGroup({ networkClassId: 0x100001, networkPriorities: { lo: 5 } }, async (group) => {
      expect(read(group, 'net_cls.classid')).toBe('1048577');
      expect(read(group, 'net_prio.ifpriomap')).toContain('lo 5');
      const error = failureOf(await rejection(group.set({ networkPriorities: { lo: 7, nosuch0: 1 } })));
      expect(error.message).toContain('there is no interface of that name');
      expect(read(group, 'net_prio.ifpriomap')).toContain('lo 5');
    });
  });

  it('say that they are not there', async () => {
    for (const [limits, name] of [
      [{ networkClassId: 1 }, 'net_cls'],
      [{ rdma: { mlx5_0: { hcaHandles: 1 } } }, 'rdma'],
      [{ misc: { sev: 1 } }, 'misc'],
    ] as const) {
      if (hierarchyOf(layout, name)) continue;
      const kind = name === 'net_cls' && layout.mode === 'v2' ? 'no-such-limit' : 'no-controller';
      expect(await rejection(createGroup(path(), limits, { layout }))).toMatchObject({ kind });
    }
  });
});

describe('a change that is refused half way', () => {
  it('says which file took which value, and what was taken back', async (context) => {
    needs(context, 'pids', 'cpu');
    await withGroup({ pids: 9, cpuCores: 1 }, async (group) => {
      const below = await createGroup(`${group.path}/below`, { cpuCores: 0.5 }, { layout });
      const error = failureOf(await rejection(group.set({ pids: 5, cpuCores: 0.25, cpuWeight: 10 })));
      await below.remove();
      expect(error).toMatchObject({ code: 'EINVAL', call: 'write' });
      expect(error.line).toMatch(/^write\(.*\/cpu\.cfs_quota_us, "25000", 5\)$/);
      expect(error.message).toContain('a group below may have more');
      expect(error.message).toMatch(/taken back: \S+\/pids\.max = 9/);
      expect(['pids.max', 'cpu.cfs_quota_us', 'cpu.shares'].map((file) => read(group, file))).toEqual(['9', '100000', '1024']);
    });
  });

  it('takes back what has an order, and lists that were empty', async (context) => {
    needs(context, 'memory', 'cpu');
    await withGroup({ memoryBytes: 32 * MiB, swapBytes: 16 * MiB, cpuCores: 1 }, async (group) => {
      const below = await createGroup(`${group.path}/below`, { cpuCores: 0.5 }, { layout });
      expect(await rejection(group.set({ memoryBytes: 64 * MiB, swapBytes: 64 * MiB, memoryOomKill: false, cpuCores: 0.25 }))).toMatchObject({
        code: 'EINVAL',
      });
      await below.remove();
      expect(read(group, 'memory.limit_in_bytes')).toBe(String(32 * MiB));
      expect(read(group, 'memory.memsw.limit_in_bytes')).toBe(String(48 * MiB));
      expect(read(group, 'memory.oom_control')).toContain('oom_kill_disable 0');
    });
  });

  it('says what could not be taken back', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ctr-take-back-'));
    try {
      writeFileSync(join(directory, 'pids.max'), '5');
      const cause = new SyscallError({ call: 'write', line: 'write(x)', errno: 22, purpose: 'change a limit', hint: 'the reason' });
      const done = [
        { path: join(directory, 'gone/cpu.shares'), value: '10', before: '1024' },
        { path: join(directory, 'pids.max'), value: '5', before: '9' },
      ];
      const error = failureOf(await takeBack(done, cause));
      expect(error.hint?.replaceAll(directory, '')).toBe(
        'the reason; taken back: /pids.max = 9; could not be taken back: /gone/cpu.shares stays at 10 (ENOENT)',
      );
      expect(readFileSync(join(directory, 'pids.max'), 'latin1')).toBe('9');
      const other = new Error('of another kind');
      expect(await takeBack(done, other)).toBe(other);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('says which controller the group lacks', async (context) => {
    needs(context, 'pids', 'blkio');
    await withGroup({ pids: 9 }, async (group) => {
      const error = await rejection(group.set({ pids: 5, ioWeight: 5 }));
      expect(error).toMatchObject({ kind: 'no-controller' });
      expect(error.message).toContain('made without the blkio controller');
      expect(read(group, 'pids.max')).toBe('9');
    });
  });
});

describe('the unified hierarchy beside version 1', () => {
  it('switches the measuring of pressure, and limits the groups below', async (context) => {
    if (layout.mode !== 'hybrid') context.skip('needs cgroup v2 mounted beside v1');
    const limits: Limits = { pressure: false, unified: { 'cgroup.max.depth': '2' } };
    await withGroup(
      limits,
      async (group) => {
        if (read(group, 'cgroup.pressure').startsWith('there is no')) context.skip('this kernel has no cgroup.pressure');
        expect([read(group, 'cgroup.pressure'), read(group, 'cgroup.max.depth')]).toEqual(['0', '2']);
        const error = failureOf(await rejection(group.set({ pressure: true, unified: { 'cgroup.max.depth': '3', 'cgroup.max.descendants': 'none' } })));
        expect(error.line).toContain('cgroup.max.descendants');
        expect([read(group, 'cgroup.pressure'), read(group, 'cgroup.max.depth'), read(group, 'cgroup.max.descendants')]).toEqual(['0', '2', 'max']);
        await group.set({ pressure: true, unified: { 'cgroup.max.depth': 'max' } });
        expect([read(group, 'cgroup.pressure'), read(group, 'cgroup.max.depth')]).toEqual(['1', 'max']);
      },
      { layout },
    );
    await withGroup(
      {},
      async (group) => {
        expect(await rejection(group.set({ memoryBytes: 4096 }))).toMatchObject({ kind: 'no-controller' });
      },
      { layout: unified },
    );
  });

  it('has no files for controllers that version 1 has', async (context) => {
    if (layout.mode !== 'hybrid') context.skip('needs cgroup v2 mounted beside v1');
    needs(context, 'memory');
    expect(await rejection(createGroup(path(), { unified: { 'memory.high': '5M' } }, { layout }))).toMatchObject({ kind: 'no-such-limit' });
  });
});

it('leaves no directory where a limit is refused by the kernel', async (context) => {
  needs(context, 'cpu', 'memory');
  await withGroup({ cpuCores: 0.5 }, async (above) => {
    const error = failureOf(await rejection(createGroup(`${above.path}/below`, { memoryBytes: 64 * MiB, cpuCores: 1 }, { layout })));
    expect(error.message).toContain('the group above may allow less');
    for (const { mount } of layout.hierarchies) expect(existsSync(`${mount}${above.path}/below`)).toBe(false);
    // The groups above stay, as ever.
    await removeGroup(layout.hierarchies.map(({ mount }) => `${mount}${above.path}`));
  });
});
