import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CgroupError, limitsOfResources, type LinuxResources } from '@ctr/cgroups';

const MiB = 2 ** 20;

function refusal(resources: unknown): string {
  try {
    limitsOfResources(resources as LinuxResources);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return `${error.name}: ${error.message}`;
    throw error;
  }
  throw new Error('it was taken');
}

describe('limitsOfResources', () => {
  it('takes everything that the specification has', () => {
    expect(
      limitsOfResources({
        devices: [
          { allow: false, access: 'rwm' },
          { allow: true, type: 'c', major: 1, minor: 3, access: 'mrw' },
          { allow: true, type: 'b', major: 8, minor: -1, access: 'r' },
          { allow: true, type: 'a', access: 'm' },
        ],
        memory: {
          limit: 64 * MiB,
          swap: 96 * MiB,
          reservation: 32 * MiB,
          kernel: -1,
          kernelTCP: 8 * MiB,
          swappiness: 0,
          disableOOMKiller: true,
          useHierarchy: true,
          checkBeforeUpdate: true,
        },
        cpu: { shares: 1024, quota: 50_000, burst: 0, period: 100_000, realtimeRuntime: 950_000, realtimePeriod: 1_000_000, cpus: '0-1', mems: '0', idle: 0 },
        pids: { limit: 100 },
        blockIO: {
          weight: 500,
          leafWeight: 10,
          weightDevice: [{ major: 8, minor: 0, weight: 300, leafWeight: 20 }],
          throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1000 }],
          throttleWriteBpsDevice: [{ major: 8, minor: 16, rate: 2000 }],
          throttleReadIOPSDevice: [{ major: 8, minor: 0, rate: 0 }],
          throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 4 }],
        },
        hugepageLimits: [
          { pageSize: '2MB', limit: 4 * MiB },
          { pageSize: '1GB', limit: 2 ** 64 },
        ],
        network: { classID: 1_048_577, priorities: [{ name: 'eth0', priority: 500 }] },
        rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10_000 } },
        unified: { 'memory.high': '60M' },
      }),
    ).toMatchInlineSnapshot(`
      {
        "blkioWeight": 500,
        "cpuBurstMicroseconds": 0,
        "cpuIdle": false,
        "cpuPeriodMicroseconds": 100000,
        "cpuQuotaMicroseconds": 50000,
        "cpuRealtimePeriodMicroseconds": 1000000,
        "cpuRealtimeRuntimeMicroseconds": 950000,
        "cpuShares": 1024,
        "cpus": "0-1",
        "devices": [
          {
            "allow": false,
            "type": "all",
          },
          {
            "access": "rwm",
            "allow": true,
            "major": 1,
            "minor": 3,
            "type": "char",
          },
          {
            "access": "r",
            "allow": true,
            "major": 8,
            "type": "block",
          },
          {
            "access": "m",
            "allow": true,
            "type": "char",
          },
          {
            "access": "m",
            "allow": true,
            "type": "block",
          },
        ],
        "hugepages": {
          "1GB": "max",
          "2MB": 4194304,
        },
        "ioDevices": [
          {
            "blkioWeight": 300,
            "device": "8:0",
            "leafWeight": 20,
            "readBytesPerSecond": 1000,
            "readOperationsPerSecond": "max",
          },
          {
            "device": "8:16",
            "writeBytesPerSecond": 2000,
            "writeOperationsPerSecond": 4,
          },
        ],
        "ioLeafWeight": 10,
        "kernelMemoryBytes": "max",
        "kernelTcpMemoryBytes": 8388608,
        "memoryBytes": 67108864,
        "memoryCheckBeforeUpdate": true,
        "memoryNodes": "0",
        "memoryOomKill": false,
        "memoryReservationBytes": 33554432,
        "memorySwappiness": 0,
        "memoryUseHierarchy": true,
        "networkClassId": 1048577,
        "networkPriorities": {
          "eth0": 500,
        },
        "pids": 100,
        "rdma": {
          "mlx5_1": {
            "hcaHandles": 3,
            "hcaObjects": 10000,
          },
        },
        "swapBytes": 33554432,
        "unified": {
          "memory.high": "60M",
        },
      }
    `);
  });

  it('takes 0 for nothing and -1 for no limit, where the runtimes do', () => {
    const zeros: LinuxResources = {
      memory: { limit: 0, swap: 0, reservation: 0, kernel: 0, kernelTCP: 0 },
      cpu: { shares: 0, quota: 0, period: 0, realtimeRuntime: 0, realtimePeriod: 0, cpus: '', mems: '' },
      blockIO: { weight: 0, leafWeight: 0, weightDevice: [{ major: 8, minor: 0, weight: 0 }] },
      hugepageLimits: [],
      network: { classID: 0, priorities: [] },
    };
    expect(limitsOfResources(zeros)).toEqual({});
    expect(limitsOfResources({})).toEqual({});
    expect(limitsOfResources({ memory: { limit: -1, reservation: -1 }, cpu: { quota: -1 }, pids: { limit: -1 } })).toEqual({
      memoryBytes: 'max',
      memoryReservationBytes: 'max',
      swapBytes: 'max',
      cpuQuotaMicroseconds: 'max',
      pids: 'max',
    });
    // The greatest number of 63 bits, as JSON.parse reads it.
    expect(limitsOfResources(JSON.parse('{"memory":{"limit":9223372036854775807}}') as LinuxResources)).toMatchObject({ memoryBytes: 'max' });
    expect(limitsOfResources({ memory: { limit: 2n ** 63n - 1n, swappiness: 5n }, hugepageLimits: [{ pageSize: '2MB', limit: 2n ** 64n - 1n }] })).toEqual({
      memoryBytes: 'max',
      swapBytes: 'max',
      memorySwappiness: 5,
      hugepages: { '2MB': 'max' },
    });
    expect(limitsOfResources({ devices: [{ allow: true, type: '', access: '' }] })).toEqual({ devices: [{ allow: true, type: 'all' }] });
    expect(limitsOfResources({ pids: { limit: 0 } })).toEqual({ pids: 1 });
    expect(limitsOfResources({ hugepageLimits: [{ pageSize: '2MB', limit: 0 }] })).toEqual({ hugepages: { '2MB': 0 } });
    expect(limitsOfResources({ cpu: { idle: 1 } })).toEqual({ cpuIdle: true });
  });

  it('takes the memory out of memory and swap', () => {
    const swap = (limit: number | undefined, total: number): unknown =>
      limitsOfResources({ memory: { ...(limit !== undefined && { limit }), swap: total } }).swapBytes;
    expect(swap(64 * MiB, 64 * MiB)).toBe(0);
    expect(swap(64 * MiB, 96 * MiB)).toBe(32 * MiB);
    expect(swap(64 * MiB, -1)).toBe('max');
    expect(swap(undefined, -1)).toBe('max');
    expect(swap(-1, 5 * MiB)).toBe(5 * MiB);
    expect(swap(64 * MiB, 0)).toBeUndefined();
  });

  it('says nothing of what it does not know', () => {
    expect(limitsOfResources({ pids: { limit: 5, peak: 3 }, intelRdt: {} } as LinuxResources)).toEqual({ pids: 5 });
  });

  it('names the path of what it refuses', () => {
    const bad: unknown[] = [
      null,
      [],
      { memory: 5 },
      { memory: { limit: '64M' } },
      { memory: { limit: -2 } },
      { memory: { limit: 2 ** 60 } },
      { memory: { swap: 5 * MiB } },
      { memory: { limit: 5 * MiB, swap: 4 * MiB } },
      { memory: { swappiness: 201 } },
      { memory: { disableOOMKiller: 'yes' } },
      { cpu: { shares: 1 } },
      { cpu: { idle: 2 } },
      { cpu: { cpus: '0-' } },
      { cpu: { quota: 5000, burst: 6000 } },
      { cpu: { idle: 1, shares: 5 } },
      { pids: { limit: 1.5 } },
      { blockIO: { weight: 5 } },
      { blockIO: { weightDevice: {} } },
      { blockIO: { weightDevice: [{ major: 8, minor: 0, weight: 5 }] } },
      { blockIO: { throttleReadBpsDevice: [{ major: 5000, minor: 0, rate: 5 }] } },
      { blockIO: { throttleReadBpsDevice: [{ major: 8, minor: 0 }] } },
      { blockIO: { throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: -1 }] } },
      { hugepageLimits: [{ pageSize: '2M', limit: 5 }] },
      { hugepageLimits: [{ limit: 5 }] },
      { hugepageLimits: [{ pageSize: '2MB' }] },
      { network: { priorities: [{ name: 'eth0' }] } },
      { network: { classID: -1 } },
      { rdma: { mlx5_1: { hcaHandles: -1 } } },
      { unified: { 'cgroup.procs': '1' } },
      { devices: [{ allow: true, type: 'p' }] },
      { devices: [{ allow: true, type: 'c', major: -2 }] },
      { devices: [{ allow: 1 }] },
      { devices: [{ allow: true, access: 'x' }] },
    ];
    expect(bad.map(refusal)).toMatchInlineSnapshot(`
      [
        "TypeError: linux.resources is an object, not null",
        "TypeError: linux.resources is an object, not a value of type object",
        "TypeError: linux.resources.memory is an object, not 5",
        "TypeError: linux.resources.memory.limit takes a whole number of bytes from 4096 to 9007199254740991, or 'max' for no limit: "64M" is none",
        "RangeError: linux.resources.memory.limit takes a whole number of bytes from 4096 to 9007199254740991, or 'max' for no limit: -2 is not one",
        "RangeError: linux.resources.memory.limit takes a whole number of bytes from 4096 to 9007199254740991, or 'max' for no limit: 1152921504606847000 is not one",
        "TypeError: linux.resources.memory.swap is memory and swap together, so it takes linux.resources.memory.limit beside it",
        "RangeError: linux.resources.memory.swap is memory and swap together: 4194304 is less than the memory alone, 5242880",
        "RangeError: linux.resources.memory.swappiness takes a whole number from 0 to 200: 201 is not one",
        "TypeError: linux.resources.memory.disableOOMKiller is true or false, not "yes"",
        "RangeError: linux.resources.cpu.shares takes a whole number of shares from 2 to 262144: 1 is not one",
        "RangeError: linux.resources.cpu.idle is 0 or 1, not 2",
        "RangeError: linux.resources.cpu.cpus takes a list of processors from 0 to 8191, such as '0-3,5': "0-" is not one",
        "RangeError: linux.resources: cpuBurstMicroseconds takes 0 to the quota, which is 5000 µs: 6000 is more",
        "TypeError: linux.resources: cpuIdle: an idle group has no weight: give one of both",
        "RangeError: linux.resources.pids.limit takes a whole number of processes from 1 to 4194304, or 'max' for no limit: 1.5 is not one",
        "RangeError: linux.resources.blockIO.weight takes a whole number of parts from 10 to 1000: 5 is not one",
        "TypeError: linux.resources.blockIO.weightDevice is a list, not a value of type object",
        "RangeError: linux.resources.blockIO.weightDevice[0].weight takes a whole number of parts from 10 to 1000: 5 is not one",
        "RangeError: linux.resources.blockIO.throttleReadBpsDevice[0].major takes a whole number from 0 to 4095: 5000 is not one",
        "TypeError: linux.resources.blockIO.throttleReadBpsDevice[0].rate is missing",
        "RangeError: linux.resources.blockIO.throttleWriteIOPSDevice[0].rate takes a whole number of operations a second from 1 to 4294967295, or 'max' for no limit: -1 is not one",
        "RangeError: linux.resources.hugepageLimits[0]: "2M" is not a size of huge pages as the kernel writes it: 64KB, 2MB, 1GB (there are those of /sys/kernel/mm/hugepages)",
        "TypeError: linux.resources.hugepageLimits[0]: its name is undefined, not a text",
        "TypeError: linux.resources.hugepageLimits[0]: "2MB" has no limit",
        "TypeError: linux.resources.network.priorities[0]: "eth0" has no limit",
        "RangeError: linux.resources.network.classID takes a whole number from 0 to 4294967295: -1 is not one",
        "RangeError: linux.resources.rdma["mlx5_1"].hcaHandles takes a whole number from 0 to 2147483647, or 'max' for no limit: -1 is not one",
        "TypeError: linux.resources.unified: cgroup.procs is no limit, and is not written here: of the files cgroup.*, there are cgroup.max.depth, cgroup.max.descendants and cgroup.pressure",
        "TypeError: linux.resources.devices[0].type is "p": a for all, c for character or b for block devices",
        "RangeError: linux.resources.devices[0]: a device rule: major is -2: a whole number from 0 to 4095, or nothing for every one",
        "TypeError: linux.resources.devices[0]: a device rule: allow is 1: true or false",
        "TypeError: linux.resources.devices[0].access is "x": letters of rwm",
      ]
    `);
  });

  it('throws nothing but errors of ours, whatever JSON it is given', () => {
    const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(-1, 0, 1, 4096));
    const anything = fc.oneof(number, fc.jsonValue());
    const disk = fc.array(fc.oneof(fc.record({ major: number, minor: number, rate: anything, weight: anything }, { requiredKeys: [] }), fc.jsonValue()));
    const resources = fc.record(
      {
        memory: fc.oneof(
          fc.record({ limit: anything, swap: anything, kernel: anything, swappiness: anything, useHierarchy: anything }, { requiredKeys: [] }),
          anything,
        ),
        cpu: fc.oneof(
          fc.record({ shares: anything, quota: anything, period: anything, burst: anything, cpus: anything, idle: anything }, { requiredKeys: [] }),
          anything,
        ),
        pids: fc.oneof(fc.record({ limit: anything }, { requiredKeys: [] }), anything),
        blockIO: fc.oneof(fc.record({ weight: anything, weightDevice: disk, throttleReadBpsDevice: disk }, { requiredKeys: [] }), anything),
        hugepageLimits: fc.oneof(fc.array(fc.record({ pageSize: fc.oneof(fc.constant('2MB'), anything), limit: anything }, { requiredKeys: [] })), anything),
        devices: fc.oneof(fc.array(fc.record({ allow: anything, type: anything, major: anything, access: anything }, { requiredKeys: [] })), anything),
        rdma: anything,
        unified: anything,
        network: anything,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(resources, fc.jsonValue()), (given) => {
        try {
          limitsOfResources(given as LinuxResources);
        } catch (error) {
          if (!(error instanceof TypeError || error instanceof RangeError || error instanceof CgroupError)) throw error;
          expect(error.message).toMatch(/^linux\.resources\b/);
        }
      }),
      { numRuns: 500 },
    );
  });
});
