import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CgroupError, checkLimits, type Limits } from '@ctr/cgroups';

const names: readonly (keyof Limits)[] = [
  'pids', 'memoryBytes', 'swapBytes', 'memoryReservationBytes', 'memoryHighBytes', 'memoryLowBytes', 'memoryMinBytes', 'memorySwappiness', 'memoryOomGroup', 'memoryOomKill',
  'kernelMemoryBytes', 'kernelTcpMemoryBytes', 'memoryUseHierarchy', 'memoryCheckBeforeUpdate', 'cpuCores', 'cpuWeight', 'cpuShares', 'cpuQuotaMicroseconds', 'cpuPeriodMicroseconds',
  'cpuBurstMicroseconds', 'cpuIdle', 'cpuRealtimeRuntimeMicroseconds', 'cpuRealtimePeriodMicroseconds', 'cpus', 'memoryNodes', 'ioWeight', 'blkioWeight', 'ioLeafWeight', 'ioDevices',
  'hugepages', 'rdma', 'networkClassId', 'networkPriorities', 'pressure', 'misc', 'unified',
]; // prettier-ignore

function messageOf(limits: unknown): string {
  try {
    checkLimits(limits as Limits);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return `${error.name}: ${error.message}`;
    throw error;
  }
  return 'taken';
}

describe('checkLimits', () => {
  it('takes what the kernel takes, to the ends of its ranges', () => {
    const good: Limits[] = [
      {},
      { pids: 1, memoryBytes: 4096, cpuCores: 0.01, cpuWeight: 1 },
      { pids: 4_194_304, memoryBytes: Number.MAX_SAFE_INTEGER, cpuCores: 175_921_860, cpuWeight: 10_000 },
      { pids: 'max', memoryBytes: 'max', cpuCores: 'max', swapBytes: 'max', cpuQuotaMicroseconds: undefined } as unknown as Limits,
      { swapBytes: 0, memoryReservationBytes: 0, memoryHighBytes: 0, memoryMinBytes: 0, kernelTcpMemoryBytes: 0, memorySwappiness: 0 },
      { memorySwappiness: 200, memoryOomGroup: true, memoryOomKill: false, memoryUseHierarchy: true, memoryCheckBeforeUpdate: true },
      { cpuQuotaMicroseconds: 1000, cpuPeriodMicroseconds: 1000, cpuBurstMicroseconds: 1000, cpuShares: 2 },
      { cpuQuotaMicroseconds: 17_592_186_044_415, cpuPeriodMicroseconds: 1_000_000, cpuBurstMicroseconds: 0, cpuShares: 262_144 },
      { cpuCores: 1, cpuPeriodMicroseconds: 1000, cpuIdle: true, cpuRealtimeRuntimeMicroseconds: 5, cpuRealtimePeriodMicroseconds: 5 },
      { cpus: '0-3,5', memoryNodes: '0' },
      { cpus: '8191', memoryNodes: '1023' },
      { ioWeight: 10_000, ioDevices: [{ device: '8:0', weight: 1, readBytesPerSecond: 1, writeOperationsPerSecond: 'max' }] },
      { blkioWeight: 10, ioLeafWeight: 1000, ioDevices: [{ device: { major: 4095, minor: 1_048_575 }, blkioWeight: 1000, leafWeight: 10 }] },
      { hugepages: { '64KB': 0, '2MB': 2 ** 30, '1GB': 'max', '16GB': 5 } },
      { rdma: { mlx5_0: { hcaHandles: 3 }, mlx4_0: { hcaHandles: 'max', hcaObjects: 2_147_483_647 } } },
      { networkClassId: 0xffffffff, networkPriorities: { eth0: 5 }, pressure: false, misc: { sev: 3 } },
      { unified: { 'memory.high': '64M', 'cgroup.max.depth': '3', 'hugetlb.2MB.max': '0' } },
    ];
    for (const limits of good) expect(messageOf(limits)).toBe('taken');
  });

  it.each([
    [{ pids: 0 }, "pids takes a whole number of processes from 1 to 4194304, or 'max' for no limit: 0 is not one"],
    [{ pids: -1 }, '-1 is not one'],
    [{ pids: 1.5 }, '1.5 is not one'],
    [{ pids: Number.NaN }, 'NaN is not one'],
    [{ pids: 4_194_305 }, '4194305 is not one'],
    [{ memoryBytes: 4095 }, 'memoryBytes takes a whole number of bytes from 4096 to 9007199254740991'],
    [{ memoryBytes: Number.POSITIVE_INFINITY }, 'Infinity is not one'],
    [{ swapBytes: -1 }, "swapBytes takes a whole number of bytes from 0 to 9007199254740991, or 'max' for no limit: -1 is not one"],
    [{ memorySwappiness: 201 }, 'memorySwappiness takes a whole number from 0 to 200: 201 is not one'],
    [{ cpuCores: 0.009 }, 'cpuCores takes a number of processors from 0.01 to 175921860'],
    [{ cpuCores: 0.5, cpuPeriodMicroseconds: 1000 }, 'cpuCores: 0.5 processors in 1000 µs are less than 1000 µs, the least the kernel takes'],
    [{ cpuWeight: 10_001 }, 'cpuWeight takes a whole number of parts from 1 to 10000: 10001 is not one'],
    [{ cpuShares: 1 }, 'cpuShares takes a whole number of shares from 2 to 262144: 1 is not one'],
    [
      { cpuQuotaMicroseconds: 999 },
      "cpuQuotaMicroseconds takes a whole number of microseconds from 1000 to 17592186044415, or 'max' for no limit: 999 is not one",
    ],
    [{ cpuPeriodMicroseconds: 1_000_001 }, 'cpuPeriodMicroseconds takes a whole number of microseconds from 1000 to 1000000: 1000001 is not one'],
    [{ cpuBurstMicroseconds: 2000, cpuQuotaMicroseconds: 1000 }, 'cpuBurstMicroseconds takes 0 to the quota, which is 1000 µs: 2000 is more'],
    [{ cpuRealtimeRuntimeMicroseconds: 6, cpuRealtimePeriodMicroseconds: 5 }, 'takes 0 to the period, which is 5 µs: 6 is more'],
    [{ cpus: '' }, `cpus takes a list of processors from 0 to 8191, such as '0-3,5': "" is not one`],
    [{ cpus: '3-1' }, '"3-1" is not one'],
    [{ cpus: '0,' }, '"0," is not one'],
    [{ cpus: '0\n' }, '"0\\n" is not one'],
    [{ cpus: '8192' }, '"8192" is not one'],
    [{ memoryNodes: '1024' }, 'memoryNodes takes a list of memory nodes from 0 to 1023'],
    [{ blkioWeight: 9 }, 'blkioWeight takes a whole number of parts from 10 to 1000: 9 is not one'],
    [{ ioDevices: [{ device: '4096:0', weight: 5 }] }, 'ioDevices[0].device.major takes a whole number from 0 to 4095: 4096 is not one'],
    [
      { ioDevices: [{ device: '8:0', readBytesPerSecond: 0 }] },
      'ioDevices[0].readBytesPerSecond takes a whole number of bytes a second from 1 to 9007199254740991',
    ],
    [{ hugepages: { '1024KB': 1 } }, 'hugepages: "1024KB" is not a size of huge pages as the kernel writes it: 64KB, 2MB, 1GB'],
    [{ hugepages: { '3MB': 1 } }, '"3MB" is not a size'],
    [{ hugepages: { '2M': 1 } }, '"2M" is not a size'],
    [{ hugepages: { '2MB': -1 } }, 'hugepages["2MB"] takes a whole number of bytes from 0'],
    [
      { rdma: { mlx5_0: { hcaHandles: 2 ** 31 } } },
      `rdma["mlx5_0"].hcaHandles takes a whole number from 0 to 2147483647, or 'max' for no limit: 2147483648 is not one`,
    ],
    [{ networkClassId: 2 ** 32 }, 'networkClassId takes a whole number from 0 to 4294967295: 4294967296 is not one'],
  ])('refuses %j with the range', (limits, message) => {
    expect(() => checkLimits(limits)).toThrow(RangeError);
    expect(() => checkLimits(limits)).toThrow(message);
  });

  it('refuses what is no number, and a key that does not exist', () => {
    expect(() => checkLimits({ pids: '20' } as unknown as Limits)).toThrow(
      new TypeError('pids takes a whole number of processes from 1 to 4194304, or \'max\' for no limit: "20" is none'),
    );
    expect(() => checkLimits({ cpuWeight: 'max' } as unknown as Limits)).toThrow(TypeError);
    expect(() => checkLimits({ memoryByte: 4096 } as unknown as Limits)).toThrow(/"memoryByte": did you mean memoryBytes\?/);
  });

  it('refuses what is of another kind, in words of its own', () => {
    const bad: unknown[] = [
      { memoryOomGroup: 1 },
      { cpus: 0 },
      { ioDevices: {} },
      { ioDevices: [null] },
      { ioDevices: [{ device: 'sda', weight: 5 }] },
      { ioDevices: [{ device: { major: 8 }, weight: 5 }] },
      { ioDevices: [{ device: '8:0' }] },
      { ioDevices: [{ device: '8:0', weigth: 5 }] },
      {
        ioDevices: [
          { device: '8:0', weight: 5 },
          { device: { major: 8, minor: 0 }, writeBytesPerSecond: 1 },
        ],
      },
      { ioDevices: [{ device: '8:0', weight: 5, blkioWeight: 50 }] },
      { hugepages: [] },
      { hugepages: { '2MB': undefined } },
      { rdma: { 'mlx 5': {} } },
      { rdma: { mlx5_0: {} } },
      { rdma: { mlx5_0: { handles: 1 } } },
      { networkPriorities: { 'eth0\n': 1 } },
      { networkPriorities: { 'an-interface-too-long': 1 } },
      { misc: { sev: '3' } },
    ];
    expect(bad.map(messageOf)).toMatchInlineSnapshot(`
      [
        "TypeError: memoryOomGroup is true or false, not 1",
        "TypeError: cpus takes a list of processors from 0 to 8191, such as '0-3,5': 0 is none",
        "TypeError: ioDevices is an array of devices and their limits, not a value of type object",
        "TypeError: ioDevices[0]: null in place of an object of options",
        "TypeError: ioDevices[0].device takes the numbers of a disk, such as '8:0' or { major: 8, minor: 0 }, not "sda"",
        "TypeError: ioDevices[0].device takes the numbers of a disk, such as '8:0' or { major: 8, minor: 0 }, not a value of type object",
        "TypeError: ioDevices[0] has no limit for its device: it takes weight, blkioWeight, leafWeight, readBytesPerSecond, writeBytesPerSecond, readOperationsPerSecond, writeOperationsPerSecond",
        "TypeError: ioDevices[0]: there is no option "weigth": did you mean weight?",
        "TypeError: ioDevices: the device 8:0 is there twice: say all of one device at once",
        "TypeError: ioDevices: weight and blkioWeight of 8:0 are the same limit: give one of them",
        "TypeError: hugepages is an object of names and limits, not a value of type object",
        "TypeError: hugepages: "2MB" has no limit",
        "TypeError: rdma: "mlx 5" is not a name: letters, digits and signs, without spaces",
        "TypeError: rdma["mlx5_0"] takes hcaHandles or hcaObjects: there is neither",
        "TypeError: rdma["mlx5_0"]: there is no option "handles"; there are hcaHandles, hcaObjects",
        "TypeError: networkPriorities: "eth0\\n" is not a name: letters, digits and signs, without spaces",
        "TypeError: networkPriorities: "an-interface-too-long" is not the name of an interface: it has at most 15 bytes",
        "TypeError: misc["sev"] takes a whole number from 0 to 9007199254740991, or 'max' for no limit: "3" is none",
      ]
    `);
  });

  it('takes of unified only files that limit', () => {
    const files = [
      'memory.high/..',
      '../memory.high',
      'memory',
      '.memory.high',
      'memory.high\n',
      'cgroup.procs',
      'cgroup.kill',
      'cgroup.freeze',
      'cgroup.subtree_control',
      'memory.reclaim',
    ];
    for (const file of files) expect(messageOf({ unified: { [file]: '1' } })).toMatch(/^TypeError: unified: /);
    for (const value of ['', ' \n', 'a\0', 5, null, 'x'.repeat(4096)])
      expect(messageOf({ unified: { 'memory.high': value } })).toMatch(/^TypeError: unified\["memory.high"\] takes a text/);
  });

  it('refuses two names of one limit', () => {
    const pairs: Limits[] = [
      { cpuCores: 1, cpuQuotaMicroseconds: 5000 },
      { cpuWeight: 1, cpuShares: 2 },
      { ioWeight: 1, blkioWeight: 10 },
      { memoryReservationBytes: 5, memoryLowBytes: 5 },
      { cpuIdle: true, cpuShares: 5 },
    ];
    expect(pairs.map(messageOf)).toMatchInlineSnapshot(`
      [
        "TypeError: cpuCores and cpuQuotaMicroseconds are the same limit: give one of them",
        "TypeError: cpuWeight and cpuShares are the same limit: give one of them",
        "TypeError: ioWeight and blkioWeight are the same limit: give one of them",
        "TypeError: memoryReservationBytes and memoryLowBytes are the same limit: give one of them",
        "TypeError: cpuIdle: an idle group has no weight: give one of both",
      ]
    `);
  });

  it('throws nothing but errors of ours, whatever it is given', () => {
    const numberLike = fc.oneof(fc.integer(), fc.double(), fc.constantFrom('max', 0, -1, 1, 100, 4096), fc.anything());
    const map = fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('2MB', 'mlx5_0', 'memory.high', '__proto__')),
      fc.oneof(numberLike, fc.string(), fc.record({ hcaHandles: numberLike })),
    );
    const device = fc.record(
      { device: fc.oneof(fc.constantFrom('8:0', '8:1'), fc.anything()), weight: numberLike, readBytesPerSecond: numberLike },
      { requiredKeys: [] },
    );
    const value = fc.oneof(numberLike, fc.boolean(), fc.string(), map, fc.array(device));
    fc.assert(
      fc.property(fc.oneof(fc.dictionary(fc.constantFrom(...names), value), fc.anything()), (limits) => {
        try {
          checkLimits(limits as Limits);
        } catch (error) {
          if (!(error instanceof TypeError || error instanceof RangeError || error instanceof CgroupError)) throw error;
          // An error of the engine's own speaks of the code.
          expect(error.message).not.toMatch(/is not a function|is not iterable|Cannot read|Cannot convert|BigInt|Symbol/);
        }
      }),
      { numRuns: 500 },
    );
  });
});
