import { describe, expect, it } from 'vitest';

import { CgroupError, parseLayout, planGroup, type Limits } from '@ctr/cgroups';

import { changesAt, limitNeeds, settingsAt } from '../src/controllers.js';

import { dockerUnified, none, systemdHybrid, systemdLegacy, systemdUnified, type LayoutTexts } from './layouts.js';

const MiB = 2 ** 20;
const controllers = {
  1: ['pids', 'memory', 'cpu', 'cpuset', 'blkio', 'hugetlb', 'rdma', 'misc', 'net_cls', 'net_prio'],
  2: ['pids', 'memory', 'cpu', 'cpuset', 'io', 'hugetlb', 'rdma', 'misc'],
} as const;

const lines = (version: 1 | 2, limits: Limits): string[] =>
  settingsAt({ version, controllers: controllers[version] }, limits).map(
    ({ file, value, twin }) => `${file} = ${value}${twin ? `, ${twin.file} = ${twin.value}` : ''}`,
  );

/** What is written to a group whose files say this. */
const changes = (version: 1 | 2, limits: Limits, now: Readonly<Record<string, string>>): string[] =>
  changesAt({ version, controllers: controllers[version] }, limits, (file) => now[file]).map(({ file, value }) => `${file} = ${value}`);

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof CgroupError) return `${error.kind}: ${error.message}`;
    throw error;
  }
  throw new Error('it was taken');
}

describe('pids', () => {
  it('is the same file on both versions', () => {
    for (const version of [1, 2] as const)
      expect([...lines(version, { pids: 20 }), ...lines(version, { pids: 'max' })]).toEqual(['pids.max = 20', 'pids.max = max']);
  });
});

describe('memory', () => {
  const common: Limits = { memoryBytes: 64 * MiB, swapBytes: 32 * MiB, memoryReservationBytes: 16 * MiB };

  it('counts memory and swap together on version 1', () => {
    expect(lines(1, { ...common, memorySwappiness: 10, memoryOomKill: false, kernelTcpMemoryBytes: 8 * MiB })).toMatchInlineSnapshot(`
      [
        "memory.limit_in_bytes = 67108864",
        "memory.memsw.limit_in_bytes = 100663296",
        "memory.soft_limit_in_bytes = 16777216",
        "memory.swappiness = 10",
        "memory.oom_control = 1",
        "memory.kmem.tcp.limit_in_bytes = 8388608",
      ]
    `);
    expect(lines(1, { memoryBytes: 'max', swapBytes: 'max', memoryReservationBytes: 'max', memoryOomKill: true, kernelTcpMemoryBytes: 'max' }))
      .toMatchInlineSnapshot(`
      [
        "memory.limit_in_bytes = -1",
        "memory.memsw.limit_in_bytes = -1",
        "memory.soft_limit_in_bytes = -1",
        "memory.oom_control = 0",
        "memory.kmem.tcp.limit_in_bytes = -1",
      ]
    `);
  });

  it('counts swap alone on version 2', () => {
    expect(lines(2, { ...common, memoryHighBytes: 60 * MiB, memoryMinBytes: 4 * MiB, memoryOomGroup: true })).toMatchInlineSnapshot(`
      [
        "memory.min = 4194304",
        "memory.low = 16777216",
        "memory.high = 62914560",
        "memory.max = 67108864",
        "memory.swap.max = 33554432",
        "memory.oom.group = 1",
      ]
    `);
    expect(lines(2, { memoryBytes: 'max', swapBytes: 'max', memoryLowBytes: 'max', memoryHighBytes: 'max', memoryOomGroup: false })).toMatchInlineSnapshot(`
      [
        "memory.low = max",
        "memory.high = max",
        "memory.max = max",
        "memory.swap.max = max",
        "memory.oom.group = 0",
      ]
    `);
  });

  it('writes nothing for what is so anyway', () => {
    expect(lines(1, { memoryUseHierarchy: true, memoryOomGroup: false, kernelMemoryBytes: 'max', memoryCheckBeforeUpdate: true })).toEqual([]);
    expect(lines(2, { memoryUseHierarchy: true, memoryOomKill: true, kernelMemoryBytes: 'max', kernelTcpMemoryBytes: 'max' })).toEqual([]);
  });

  it('refuses what a version does not have', () => {
    const without: [1 | 2, Limits][] = [
      [1, { memoryHighBytes: 5 }],
      [1, { memoryLowBytes: 5 }],
      [1, { memoryMinBytes: 5 }],
      [1, { memoryOomGroup: true }],
      [1, { kernelMemoryBytes: 5 }],
      [1, { memoryUseHierarchy: false }],
      [1, { swapBytes: 5 }],
      [1, { memoryBytes: 'max', swapBytes: 5 }],
      [2, { memorySwappiness: 5 }],
      [2, { memoryOomKill: false }],
      [2, { kernelMemoryBytes: 5 }],
      [2, { kernelTcpMemoryBytes: 5 }],
      [2, { memoryUseHierarchy: false }],
    ];
    expect(without.map(([version, limits]) => refusal(() => lines(version, limits)))).toMatchInlineSnapshot(`
      [
        "no-such-limit: memoryHighBytes cannot be had on version 1 of control groups, which is what is here: what comes near to it is memoryReservationBytes",
        "no-such-limit: memoryLowBytes cannot be had on version 1 of control groups, which is what is here: what comes near to it is memoryReservationBytes",
        "no-such-limit: memoryMinBytes cannot be had on version 1 of control groups, which is what is here: what comes near to it is memoryReservationBytes",
        "no-such-limit: memoryOomGroup cannot be had on version 1 of control groups, which is what is here: the kernel kills one process at a time: watch for that, and kill the group",
        "no-such-limit: kernelMemoryBytes cannot be had on version 1 of control groups, which is what is here: no kernel since 5.16 limits it, and newer ones take a value without effect: memory of the kernel is part of memoryBytes",
        "no-such-limit: memoryUseHierarchy cannot be false: since kernel 5.11 the groups below always count",
        "no-such-limit: swapBytes cannot be had on version 1 of control groups, which is what is here: it counts memory and swap together, so swap is limited only beside memory: give memoryBytes, too",
        "no-such-limit: swapBytes cannot be had on version 1 of control groups, which is what is here: it counts memory and swap together, so swap is limited only beside memory: give memoryBytes, too",
        "no-such-limit: memorySwappiness cannot be had on version 2 of control groups, which is what is here: vm.swappiness of sysctl(8) is for the whole system; swapBytes: 0 keeps a group from swapping",
        "no-such-limit: memoryOomKill cannot be had on version 2 of control groups, which is what is here: the kernel always kills in the end; memoryHighBytes slows the group down before",
        "no-such-limit: kernelMemoryBytes cannot be had on version 2 of control groups, which is what is here: memory of the kernel is part of memoryBytes",
        "no-such-limit: kernelTcpMemoryBytes cannot be had on version 2 of control groups, which is what is here: memory of TCP's buffers is part of memoryBytes",
        "no-such-limit: memoryUseHierarchy cannot be false: since kernel 5.11 the groups below always count",
      ]
    `);
  });

  it('never lets the sum be less than the memory while both change', () => {
    const now = { 'memory.limit_in_bytes': `${64 * MiB}`, 'memory.memsw.limit_in_bytes': `${96 * MiB}` };
    const open = { 'memory.limit_in_bytes': '9223372036854771712', 'memory.memsw.limit_in_bytes': '9223372036854771712' };
    expect(changes(1, { memoryBytes: 128 * MiB, swapBytes: 0 }, now)).toMatchInlineSnapshot(`
      [
        "memory.memsw.limit_in_bytes = 134217728",
        "memory.limit_in_bytes = 134217728",
      ]
    `);
    expect(changes(1, { memoryBytes: 32 * MiB, swapBytes: 0 }, now)).toMatchInlineSnapshot(`
      [
        "memory.limit_in_bytes = 33554432",
        "memory.memsw.limit_in_bytes = 33554432",
      ]
    `);
    expect(changes(1, { memoryBytes: 'max', swapBytes: 'max' }, now)).toMatchInlineSnapshot(`
      [
        "memory.memsw.limit_in_bytes = -1",
        "memory.limit_in_bytes = -1",
      ]
    `);
    expect(changes(1, { memoryBytes: 32 * MiB, swapBytes: 0 }, open)).toMatchInlineSnapshot(`
      [
        "memory.limit_in_bytes = 33554432",
        "memory.memsw.limit_in_bytes = 33554432",
      ]
    `);
  });

  it('keeps the swap as it is when the memory changes, and the other way round', () => {
    const now = { 'memory.limit_in_bytes': `${64 * MiB}`, 'memory.memsw.limit_in_bytes': `${96 * MiB}` };
    expect(changes(1, { memoryBytes: 128 * MiB }, now)).toEqual([`memory.memsw.limit_in_bytes = ${160 * MiB}`, `memory.limit_in_bytes = ${128 * MiB}`]);
    expect(changes(1, { memoryBytes: 32 * MiB }, now)).toEqual([`memory.limit_in_bytes = ${32 * MiB}`, `memory.memsw.limit_in_bytes = ${64 * MiB}`]);
    expect(changes(1, { memoryBytes: 'max' }, now)).toEqual(['memory.memsw.limit_in_bytes = -1', 'memory.limit_in_bytes = -1']);
    expect(changes(1, { swapBytes: 0 }, now)).toEqual([`memory.memsw.limit_in_bytes = ${64 * MiB}`]);
    expect(changes(1, { swapBytes: 'max' }, now)).toEqual(['memory.memsw.limit_in_bytes = -1']);
    expect(changes(1, { memoryBytes: 5 * MiB }, { 'memory.limit_in_bytes': '9223372036854771712' })).toEqual([`memory.limit_in_bytes = ${5 * MiB}`]);
    expect(changes(2, { memoryBytes: 128 * MiB }, {})).toEqual([`memory.max = ${128 * MiB}`]);
    expect(refusal(() => changes(1, { swapBytes: 5 }, { 'memory.limit_in_bytes': '9223372036854771712' }))).toContain('no-such-limit');
  });

  it('refuses a change below what is in use, where that is asked for', () => {
    const check: Limits = { memoryCheckBeforeUpdate: true };
    expect(refusal(() => changes(1, { ...check, memoryBytes: 4096 }, { 'memory.usage_in_bytes': '8192' }))).toMatchInlineSnapshot(
      `"in-use: memoryBytes: the group uses 8192 bytes now, which is more than 4096: end processes of it first, or leave memoryCheckBeforeUpdate out"`,
    );
    expect(
      refusal(() => changes(1, { ...check, memoryBytes: 8192, swapBytes: 0 }, { 'memory.usage_in_bytes': '8192', 'memory.memsw.usage_in_bytes': '8193' })),
    ).toContain('in-use: memoryBytes and swapBytes');
    expect(refusal(() => changes(2, { ...check, memoryBytes: 4096 }, { 'memory.current': '8192' }))).toContain('in-use');
    expect(refusal(() => changes(2, { ...check, swapBytes: 0 }, { 'memory.swap.current': '8192' }))).toContain('in-use: swapBytes');
    expect(changes(2, { ...check, memoryBytes: 8192, swapBytes: 'max' }, { 'memory.current': '8192' })).toHaveLength(2);
  });
});

describe('cpu', () => {
  it('is quota, burst, weight and real time on version 1', () => {
    expect(lines(1, { cpuCores: 1.5, cpuWeight: 200 })).toEqual(['cpu.cfs_quota_us = 150000', 'cpu.shares = 2048']);
    expect(lines(1, { cpuCores: 'max' })).toEqual(['cpu.cfs_quota_us = -1']);
    expect(
      lines(1, {
        cpuQuotaMicroseconds: 20_000,
        cpuPeriodMicroseconds: 50_000,
        cpuBurstMicroseconds: 10_000,
        cpuShares: 1000,
        cpuIdle: false,
        cpuRealtimeRuntimeMicroseconds: 4000,
        cpuRealtimePeriodMicroseconds: 500_000,
      }),
    ).toMatchInlineSnapshot(`
      [
        "cpu.cfs_period_us = 50000",
        "cpu.cfs_quota_us = 20000",
        "cpu.cfs_burst_us = 10000",
        "cpu.idle = 0",
        "cpu.shares = 1000",
        "cpu.rt_period_us = 500000",
        "cpu.rt_runtime_us = 4000",
      ]
    `);
    expect(lines(1, { cpuIdle: true })).toEqual(['cpu.idle = 1']);
  });

  it('is quota, burst and weight on version 2', () => {
    expect(lines(2, { cpuCores: 1.5, cpuWeight: 200 })).toEqual(['cpu.max = 150000 100000', 'cpu.weight = 200']);
    expect(lines(2, { cpuCores: 'max' })).toEqual(['cpu.max = max 100000']);
    expect(lines(2, { cpuQuotaMicroseconds: 20_000, cpuPeriodMicroseconds: 50_000, cpuBurstMicroseconds: 10_000, cpuShares: 1024, cpuIdle: false }))
      .toMatchInlineSnapshot(`
      [
        "cpu.max = 20000 50000",
        "cpu.max.burst = 10000",
        "cpu.idle = 0",
        "cpu.weight = 100",
      ]
    `);
    expect(lines(2, { cpuPeriodMicroseconds: 50_000 })).toEqual(['cpu.max = max 50000']);
    for (const limits of [{ cpuRealtimeRuntimeMicroseconds: 0 }, { cpuRealtimePeriodMicroseconds: 5 }])
      for (const act of [() => lines(2, limits), () => changes(2, limits, {})]) expect(refusal(act)).toContain('no-such-limit: cpuRealtime');
  });

  it('brings shares to weights as runc and crun do since 2025', () => {
    // The least, docker's and Kubernetes' usual ones, and the most.
    const shares = [2, 3, 10, 102, 256, 512, 1000, 1024, 2048, 4096, 102_400, 262_143, 262_144];
    expect(shares.map((cpuShares) => lines(2, { cpuShares })[0])).toMatchInlineSnapshot(`
      [
        "cpu.weight = 1",
        "cpu.weight = 2",
        "cpu.weight = 4",
        "cpu.weight = 17",
        "cpu.weight = 35",
        "cpu.weight = 59",
        "cpu.weight = 99",
        "cpu.weight = 100",
        "cpu.weight = 174",
        "cpu.weight = 303",
        "cpu.weight = 4429",
        "cpu.weight = 10000",
        "cpu.weight = 10000",
      ]
    `);
  });

  it('changes quota and period in an order in which no state allows more than the first or the last', () => {
    const now = { 'cpu.cfs_period_us': '100000', 'cpu.cfs_quota_us': '50000', 'cpu.cfs_burst_us': '10000', 'cpu.rt_period_us': '1000000' };
    expect(changes(1, { cpuQuotaMicroseconds: 10_000, cpuPeriodMicroseconds: 20_000 }, now)).toEqual(['cpu.cfs_quota_us = 10000', 'cpu.cfs_period_us = 20000']);
    expect(changes(1, { cpuQuotaMicroseconds: 300_000, cpuPeriodMicroseconds: 500_000 }, now)).toEqual([
      'cpu.cfs_period_us = 500000',
      'cpu.cfs_quota_us = 300000',
    ]);
    expect(changes(1, { cpuCores: 0.5 }, { 'cpu.cfs_period_us': '20000' })).toEqual(['cpu.cfs_quota_us = 10000']);
    expect(changes(1, { cpuQuotaMicroseconds: 5000, cpuBurstMicroseconds: 1000 }, now)).toEqual(['cpu.cfs_burst_us = 1000', 'cpu.cfs_quota_us = 5000']);
    expect(changes(1, { cpuQuotaMicroseconds: 90_000, cpuBurstMicroseconds: 80_000 }, now)).toEqual(['cpu.cfs_quota_us = 90000', 'cpu.cfs_burst_us = 80000']);
    const rt: Limits = { cpuRealtimeRuntimeMicroseconds: 100, cpuRealtimePeriodMicroseconds: 1000 };
    expect(changes(1, rt, now)).toEqual(['cpu.rt_runtime_us = 100', 'cpu.rt_period_us = 1000']);
    expect(changes(1, { ...rt, cpuRealtimePeriodMicroseconds: 2_000_000 }, now)).toEqual(['cpu.rt_period_us = 2000000', 'cpu.rt_runtime_us = 100']);
  });

  it('keeps of quota and period what is not given', () => {
    const now = { 'cpu.max': '20000 50000', 'cpu.max.burst': '10000' };
    expect(changes(2, { cpuQuotaMicroseconds: 30_000 }, now)).toEqual(['cpu.max = 30000 50000']);
    expect(changes(2, { cpuPeriodMicroseconds: 40_000 }, now)).toEqual(['cpu.max = 20000 40000']);
    expect(changes(2, { cpuCores: 0.5 }, now)).toEqual(['cpu.max = 25000 50000']);
    expect(changes(2, { cpuCores: 'max' }, now)).toEqual(['cpu.max = max 50000']);
    expect(changes(2, { cpuWeight: 5 }, now)).toEqual(['cpu.weight = 5']);
    expect(changes(2, { cpuQuotaMicroseconds: 5000, cpuBurstMicroseconds: 1000 }, now)).toEqual(['cpu.max.burst = 1000', 'cpu.max = 5000 50000']);
    expect(changes(2, { cpuPeriodMicroseconds: 40_000 }, { 'cpu.max': 'max 100000' })).toEqual(['cpu.max = max 40000']);
  });
});

describe('cpuset', () => {
  it('is the same files on both versions', () => {
    for (const version of [1, 2] as const) expect(lines(version, { cpus: '0-1,3', memoryNodes: '0' })).toEqual(['cpuset.cpus = 0-1,3', 'cpuset.mems = 0']);
  });
});

describe('block I/O', () => {
  const devices: Limits = {
    ioDevices: [
      { device: '8:0', weight: 300, readBytesPerSecond: MiB, writeBytesPerSecond: 2 * MiB, readOperationsPerSecond: 100, writeOperationsPerSecond: 'max' },
      { device: { major: 8, minor: 16 }, blkioWeight: 500 },
    ],
  };

  it('is blkio on version 1, where no limit is 0', () => {
    expect(lines(1, { blkioWeight: 500, ...devices })).toMatchInlineSnapshot(`
      [
        "blkio.bfq.weight = 500",
        "blkio.bfq.weight_device = 8:0 118",
        "blkio.throttle.read_bps_device = 8:0 1048576",
        "blkio.throttle.write_bps_device = 8:0 2097152",
        "blkio.throttle.read_iops_device = 8:0 100",
        "blkio.throttle.write_iops_device = 8:0 0",
        "blkio.bfq.weight_device = 8:16 500",
      ]
    `);
    expect(lines(1, { ioLeafWeight: 10, ioDevices: [{ device: '8:0', leafWeight: 20 }] })).toMatchInlineSnapshot(`
      [
        "blkio.leaf_weight = 10",
        "blkio.leaf_weight_device = 8:0 20",
      ]
    `);
  });

  it('is io on version 2', () => {
    expect(lines(2, { blkioWeight: 500, ...devices })).toMatchInlineSnapshot(`
      [
        "io.bfq.weight = 500, io.weight = 4950",
        "io.bfq.weight = 8:0 118, io.weight = 8:0 300",
        "io.max = 8:0 rbps=1048576 wbps=2097152 riops=100 wiops=max",
        "io.bfq.weight = 8:16 500, io.weight = 8:16 4950",
      ]
    `);
    expect(refusal(() => lines(2, { ioLeafWeight: 10 }))).toMatchInlineSnapshot(
      `"no-such-limit: ioLeafWeight cannot be had on version 2 of control groups, which is what is here: it was a weight of the CFQ scheduler, which no kernel since 5.0 has"`,
    );
    expect(refusal(() => lines(2, { ioDevices: [{ device: '8:0', leafWeight: 20 }] }))).toContain('no-such-limit');
  });

  it('brings weights from one scale to the other', () => {
    expect([1, 50, 100, 101, 1000, 5000, 10_000].map((ioWeight) => lines(1, { ioWeight })[0])).toMatchInlineSnapshot(`
      [
        "blkio.bfq.weight = 1",
        "blkio.bfq.weight = 50",
        "blkio.bfq.weight = 100",
        "blkio.bfq.weight = 100",
        "blkio.bfq.weight = 181",
        "blkio.bfq.weight = 545",
        "blkio.bfq.weight = 1000",
      ]
    `);
    expect([10, 100, 500, 1000].map((blkioWeight) => lines(2, { blkioWeight })[0])).toMatchInlineSnapshot(`
      [
        "io.bfq.weight = 10, io.weight = 1",
        "io.bfq.weight = 100, io.weight = 910",
        "io.bfq.weight = 500, io.weight = 4950",
        "io.bfq.weight = 1000, io.weight = 10000",
      ]
    `);
  });
});

describe('the other controllers', () => {
  const limits: Limits = {
    hugepages: { '2MB': 4 * MiB, '1GB': 'max' },
    rdma: { mlx5_0: { hcaHandles: 3, hcaObjects: 'max' }, mlx4_0: { hcaObjects: 10 } },
    misc: { sev: 3, tdx: 'max' },
  };

  it('are limited on version 1', () => {
    expect(lines(1, { ...limits, networkClassId: 0x100001, networkPriorities: { eth0: 5, lo: 0 } })).toMatchInlineSnapshot(`
      [
        "hugetlb.2MB.limit_in_bytes = 4194304",
        "hugetlb.2MB.rsvd.limit_in_bytes = 4194304",
        "hugetlb.1GB.limit_in_bytes = -1",
        "hugetlb.1GB.rsvd.limit_in_bytes = -1",
        "rdma.max = mlx5_0 hca_handle=3 hca_object=max",
        "rdma.max = mlx4_0 hca_object=10",
        "misc.max = sev 3",
        "misc.max = tdx max",
        "net_cls.classid = 1048577",
        "net_prio.ifpriomap = eth0 5",
        "net_prio.ifpriomap = lo 0",
      ]
    `);
  });

  it('are limited on version 2', () => {
    expect(lines(2, { ...limits, pressure: false, unified: { 'memory.high': '64M', 'cgroup.max.depth': '3' } })).toMatchInlineSnapshot(`
      [
        "hugetlb.2MB.max = 4194304",
        "hugetlb.2MB.rsvd.max = 4194304",
        "hugetlb.1GB.max = max",
        "hugetlb.1GB.rsvd.max = max",
        "rdma.max = mlx5_0 hca_handle=3 hca_object=max",
        "rdma.max = mlx4_0 hca_object=10",
        "misc.max = sev 3",
        "misc.max = tdx max",
        "cgroup.pressure = 0",
        "memory.high = 64M",
        "cgroup.max.depth = 3",
      ]
    `);
    expect(lines(2, { pressure: true })).toEqual(['cgroup.pressure = 1']);
  });
});

describe('what limits need', () => {
  const layoutOf = ({ mountinfo, cgroup, unifiedControllers }: LayoutTexts): ReturnType<typeof parseLayout> =>
    parseLayout(mountinfo, cgroup, unifiedControllers);
  const v1 = (...names: string[]): ReturnType<typeof parseLayout> =>
    parseLayout(
      names.map((name, i) => `${40 + i} 1 0:${i} / /sys/fs/cgroup/${name} rw - cgroup cgroup rw,${name}\n`).join(''),
      names.map((name, i) => `${i + 1}:${name}:/\n`).join(''),
    );

  it('are the controllers by the names they have here', () => {
    const limits: Limits = { ioWeight: 5, cpuIdle: true, memoryBytes: 4096, pids: 3, hugepages: { '2MB': 5 } };
    expect(limitNeeds(limits, layoutOf(systemdUnified))).toEqual({ controllers: ['pids', 'memory', 'cpu', 'io', 'hugetlb'], unified: false });
    expect(limitNeeds(limits, v1('blkio', 'cpu', 'memory', 'pids')).controllers).toEqual(['pids', 'memory', 'cpu', 'blkio', 'hugetlb']);
  });

  it('are none where nothing is limited, or all of it is so anyway', () => {
    expect(limitNeeds({}, layoutOf(systemdUnified))).toEqual({ controllers: [], unified: false });
    expect(limitNeeds({ memoryOomKill: true }, layoutOf(systemdUnified)).controllers).toEqual([]);
    expect(limitNeeds({ memoryUseHierarchy: true }, layoutOf(systemdLegacy)).controllers).toEqual([]);
  });

  it('are those of the files of unified, which are of version 2 alone', () => {
    expect(limitNeeds({ unified: { 'memory.high': '5', 'io.max': '8:0 rbps=1', 'cgroup.max.depth': '2' } }, layoutOf(systemdUnified))).toEqual({
      controllers: ['memory', 'io'],
      unified: true,
    });
    expect(limitNeeds({ pressure: false }, layoutOf(systemdHybrid))).toEqual({ controllers: [], unified: true });
    expect(refusal(() => limitNeeds({ unified: { 'memory.high': '5' } }, layoutOf(systemdHybrid)))).toMatchInlineSnapshot(
      `"no-such-limit: unified cannot be had on version 1 of control groups, which is what is here: memory.high is a file of version 2, and memory is mounted as version 1 at /sys/fs/cgroup/memory"`,
    );
    expect(refusal(() => limitNeeds({ unified: { 'io.max': '5' } }, v1('blkio')))).toMatchInlineSnapshot(
      `"no-such-limit: unified cannot be had on version 1 of control groups, which is what is here: its files are those of version 2"`,
    );
    expect(refusal(() => limitNeeds({ pressure: true }, layoutOf(systemdLegacy)))).toMatchInlineSnapshot(
      `"no-such-limit: pressure cannot be had on version 1 of control groups, which is what is here: only version 2 measures for how long a group waits"`,
    );
  });

  it('cannot be had of version 2 for what is sent by the network', () => {
    expect(refusal(() => limitNeeds({ networkClassId: 5 }, layoutOf(systemdUnified)))).toMatchInlineSnapshot(
      `"no-such-limit: networkClassId cannot be had on version 2 of control groups, which is what is here: nftables(8) can match the group itself there (socket cgroupv2)"`,
    );
    expect(refusal(() => limitNeeds({ networkPriorities: { lo: 5 } }, layoutOf(dockerUnified)))).toContain('no-such-limit: networkPriorities');
    expect(limitNeeds({ networkClassId: 5, networkPriorities: { lo: 1 } }, layoutOf(systemdHybrid)).controllers).toEqual(['net_cls', 'net_prio']);
  });

  it('is an error before anything is made where it is not there', () => {
    expect(refusal(() => planGroup('web', { memoryHighBytes: 5 }, { layout: layoutOf(none) }))).toContain('not-mounted: ');
    expect(refusal(() => planGroup('web', { cpus: '0' }, { layout: layoutOf(systemdHybrid) }))).toContain(
      'no-controller: no control group hierarchy here has the cpuset',
    );
    expect(refusal(() => planGroup('web', { pids: 5, memoryHighBytes: 5 }, { layout: layoutOf(systemdHybrid) }))).toContain('no-such-limit: memoryHighBytes');
  });
});
