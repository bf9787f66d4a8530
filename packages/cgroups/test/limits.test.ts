import { describe, expect, it } from 'vitest';

import { checkLimits, type Limits } from '@ctr/cgroups';

import { controllersFor, settingsOf } from '../src/controllers.js';

describe('checkLimits', () => {
  it('takes what the kernel takes, to the ends of its ranges', () => {
    const good: Limits[] = [
      {},
      { pids: 1, memoryBytes: 4096, cpuCores: 0.01, cpuWeight: 1 },
      { pids: 4_194_304, memoryBytes: Number.MAX_SAFE_INTEGER, cpuCores: 175_921_860, cpuWeight: 10_000 },
      { pids: 'max', memoryBytes: 'max', cpuCores: 'max' },
    ];
    for (const limits of good) expect(() => checkLimits(limits)).not.toThrow();
  });

  it.each([
    [{ pids: 0 }, "pids takes a whole number of processes from 1 to 4194304, or 'max' for no limit: 0 is not one"],
    [{ pids: -1 }, '-1 is not one'],
    [{ pids: 1.5 }, '1.5 is not one'],
    [{ pids: Number.NaN }, 'NaN is not one'],
    [{ pids: 4_194_305 }, '4194305 is not one'],
    [{ memoryBytes: 4095 }, 'memoryBytes takes a whole number of bytes from 4096 to'],
    [{ memoryBytes: Number.POSITIVE_INFINITY }, 'Infinity is not one'],
    [{ cpuCores: 0.009 }, 'cpuCores takes a number of processors from 0.01 to 175921860'],
    [{ cpuWeight: 10_001 }, 'cpuWeight takes a whole number of parts from 1 to 10000: 10001 is not one'],
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
});

describe('the settings of a controller', () => {
  const limits: Limits = { pids: 20, memoryBytes: 64 * 2 ** 20, cpuCores: 1.5, cpuWeight: 200 };
  const open: Limits = { pids: 'max', memoryBytes: 'max', cpuCores: 'max' };
  const lines = (version: 1 | 2, of: Limits): string[] =>
    controllersFor(of).flatMap((name) => settingsOf(name, version, of).map(({ file, value }) => `${file} = ${value}`));

  it('are those of version 1', () => {
    expect(lines(1, limits)).toEqual(['pids.max = 20', 'memory.limit_in_bytes = 67108864', 'cpu.cfs_quota_us = 150000', 'cpu.shares = 2048']);
    expect(lines(1, open)).toEqual(['pids.max = max', 'memory.limit_in_bytes = -1', 'cpu.cfs_quota_us = -1']);
  });

  it('are those of version 2', () => {
    expect(lines(2, limits)).toEqual(['pids.max = 20', 'memory.max = 67108864', 'cpu.max = 150000 100000', 'cpu.weight = 200']);
    expect(lines(2, open)).toEqual(['pids.max = max', 'memory.max = max', 'cpu.max = max 100000']);
  });

  it('are of no controller where nothing is limited', () => {
    expect(controllersFor({})).toEqual([]);
    expect(controllersFor({ cpuWeight: 100 })).toEqual(['cpu']);
  });
});
