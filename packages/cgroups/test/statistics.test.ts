import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';

import { gaugesOf, readPressure, readStatistics, readUsage } from '@ctr/cgroups';

import { version1, version2 } from './statistics-texts.js';

const top = mkdtempSync(join(tmpdir(), 'ctr-statistics-'));
afterAll(() => rmSync(top, { recursive: true }));

let count = 0;

/** A directory with files of these texts. */
function written(texts: Readonly<Record<string, string>>): string {
  const directory = join(top, String((count += 1)));
  mkdirSync(directory);
  for (const [file, text] of Object.entries(texts)) writeFileSync(join(directory, file), text);
  return directory;
}

const directories1 = Object.values(version1).map(written);
const directory2 = written(version2);

const everything = ['cpu', 'memory', 'pids', 'io', 'cpuset', 'hugetlb', 'rdma', 'misc', 'pressure'];

describe('readStatistics', () => {
  it('puts the directories of a version 1 group together', () => {
    expect(readStatistics(directories1)).toEqual({
      cpu: {
        usageMicroseconds: 18446744073709552, // 2^64 - 1 nanoseconds, to 4 microseconds
        userMicroseconds: 5_000_000,
        systemMicroseconds: 1500,
        periods: 120,
        throttledPeriods: 40,
        throttledMicroseconds: 2_500_001,
        bursts: 3,
        burstMicroseconds: 7,
      },
      memory: {
        currentBytes: 50_331_648,
        peakBytes: 67_108_864,
        limitBytes: 67_108_864,
        workingSetBytes: 33_554_432,
        swapBytes: 12_288,
        swapPeakBytes: undefined,
        swapLimitBytes: 33_554_432,
        anonBytes: 29_360_128,
        fileBytes: 20_971_520,
        inactiveFileBytes: 16_777_216,
        shmemBytes: 8192,
        kernelBytes: 1_048_576,
        slabBytes: undefined,
        sockBytes: 4096,
        pgfault: 9000,
        pgmajfault: 11,
        events: { low: undefined, high: undefined, max: 17, oom: undefined, oomKill: 2, oomGroupKill: undefined },
      },
      pids: { current: 3, peak: 12, max: 'max', maxHits: 5 },
      io: [
        { device: '8:0', readBytes: 4096, writeBytes: 8192, discardBytes: 512, readOperations: 1, writeOperations: 2, discardOperations: 3 },
        {
          device: '253:1',
          readBytes: 1,
          writeBytes: undefined,
          discardBytes: undefined,
          readOperations: undefined,
          writeOperations: undefined,
          discardOperations: undefined,
        },
      ],
      cpuset: { effectiveCpus: [0, 1, 2, 7], effectiveMemoryNodes: [0] },
      hugetlb: [{ pageSize: '2MB', currentBytes: 4_194_304, peakBytes: 6_291_456, limitBytes: 'max', limitHits: 1 }],
      rdma: undefined,
      misc: undefined,
      pressure: undefined,
    });
  });

  it('reads a version 2 group', () => {
    expect(readStatistics([directory2])).toEqual({
      cpu: {
        usageMicroseconds: 6_123_456,
        userMicroseconds: 5_000_000,
        systemMicroseconds: 1_123_456,
        periods: 120,
        throttledPeriods: 40,
        throttledMicroseconds: 2_500_000,
        bursts: 3,
        burstMicroseconds: 7,
      },
      memory: {
        currentBytes: 50_331_648,
        peakBytes: 67_108_864,
        limitBytes: 67_108_864,
        workingSetBytes: 33_554_432,
        swapBytes: 12_288,
        swapPeakBytes: 16_384,
        swapLimitBytes: 'max',
        anonBytes: 29_360_128,
        fileBytes: 20_971_520,
        inactiveFileBytes: 16_777_216,
        shmemBytes: 8192,
        kernelBytes: 1_048_576,
        slabBytes: 65_536,
        sockBytes: 4096,
        pgfault: 9000,
        pgmajfault: 11,
        events: { low: 1, high: 2, max: 17, oom: 3, oomKill: 4, oomGroupKill: 1 },
      },
      pids: { current: 3, peak: 12, max: 20, maxHits: 5 },
      io: [
        { device: '8:0', readBytes: 4096, writeBytes: 8192, discardBytes: 512, readOperations: 1, writeOperations: 2, discardOperations: 3 },
        { device: '253:1', readBytes: 1, writeBytes: 0, discardBytes: 0, readOperations: 1, writeOperations: 0, discardOperations: 0 },
      ],
      cpuset: { effectiveCpus: [0, 1, 2, 7], effectiveMemoryNodes: [0] },
      hugetlb: [
        { pageSize: '1GB', currentBytes: 0, peakBytes: undefined, limitBytes: 1_073_741_824, limitHits: 0 },
        { pageSize: '2MB', currentBytes: 4_194_304, peakBytes: undefined, limitBytes: 'max', limitHits: 1 },
      ],
      rdma: [
        { device: 'mlx4_0', hcaHandles: 2, hcaHandlesMax: 5, hcaObjects: 2000, hcaObjectsMax: 'max' },
        { device: 'ocrdma1', hcaHandles: 3, hcaHandlesMax: undefined, hcaObjects: undefined, hcaObjectsMax: undefined },
      ],
      misc: [
        { resource: 'res_a', current: 3, max: 'max', maxHits: 0 },
        { resource: 'res_b', current: 0, max: 4, maxHits: 7 },
      ],
      pressure: {
        cpu: {
          some: { avg10: 1.53, avg60: 0.87, avg300: 100, totalMicroseconds: 8_034_900_893 },
          full: { avg10: 0, avg60: 0, avg300: 0, totalMicroseconds: 0 },
        },
        memory: {
          some: { avg10: 0, avg60: 0, avg300: 0, totalMicroseconds: 12 },
          full: { avg10: 0, avg60: 0, avg300: 0, totalMicroseconds: 7 },
        },
        io: undefined,
        irq: { some: undefined, full: { avg10: 0.25, avg60: 0, avg300: 0, totalMicroseconds: 99 } },
      },
    });
  });

  it('reads only what it is asked for', () => {
    const { pids, ...others } = readStatistics([directory2], { only: ['pids'] });
    expect(pids?.current).toBe(3);
    expect(new Set(Object.values(others))).toEqual(new Set([undefined]));
    // @ts-expect-error there is no such part
    expect(() => readStatistics([directory2], { only: ['disk'] })).toThrow('there are no statistics of "disk": cpu, memory, pids');
    expect(() => readStatistics([directory2], { onyl: [] } as object)).toThrow(TypeError);
  });

  it('tells nothing of a group that is not there', () => {
    const statistics = readStatistics([join(top, 'nothing')]);
    expect(Object.keys(statistics)).toEqual(everything);
    expect(Object.values(statistics).filter(Boolean)).toEqual([]);
    expect(readPressure(join(top, 'nothing'))).toEqual({ cpu: undefined, memory: undefined, io: undefined, irq: undefined });
  });

  it('takes the time of the unified hierarchy where version 1 does not tell it', () => {
    const directories = [written({ 'cpu.stat': 'nr_periods 4\n' }), written({ 'cgroup.controllers': '', 'cpu.stat': 'usage_usec 9\nnr_periods 5\n' })];
    expect(readStatistics(directories).cpu).toMatchObject({ usageMicroseconds: 9, periods: 4 });
  });

  it('reads a file of any length', () => {
    const lines = Array.from({ length: 4000 }, (_, i) => `8:${i} rbytes=${i} wbytes=0\n`);
    expect(readStatistics([written({ 'cgroup.controllers': '', 'io.stat': lines.join('') })]).io).toHaveLength(4000);
  });

  it('takes no text for a number, and expands no list without end', () => {
    const hostile = written({
      'cgroup.controllers': '',
      'memory.current': '1e9\n',
      'memory.max': '0x10\n',
      'pids.current': '-3\n',
      'pids.max': '9'.repeat(400),
      'cpuset.cpus.effective': '0-99999999999\n',
      'cpuset.mems.effective': `${'0-65535,'.repeat(1000)}\n`,
      'io.stat': '__proto__ rbytes=1\n',
      'cpu.pressure': 'some avg10=nan avg60=0 avg300=0 total=0\n',
    });
    expect(readStatistics([hostile])).toMatchObject({
      memory: { currentBytes: undefined, limitBytes: undefined },
      pids: { current: undefined, max: undefined },
      cpuset: { effectiveCpus: undefined, effectiveMemoryNodes: undefined },
      io: [],
      pressure: { cpu: undefined },
    });
  });

  it('makes nothing but finite numbers of any text', () => {
    const files = [...new Set([...Object.keys(version2), ...Object.values(version1).flatMap(Object.keys)])];
    const word = fc.oneof(
      fc.constantFrom('some', 'max', 'total_rss', '8:0', 'Read', 'rbytes=', 'avg10=', '=', ' ', '\n', '-1', '0-9', ',', '\0', '__proto__'),
      fc.string(),
      fc.bigInt(),
    );
    const text = fc.array(word).map((words) => words.join(''));
    const directory = written({});
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...files), text), (texts) => {
        rmSync(directory, { recursive: true });
        mkdirSync(directory);
        for (const [file, content] of Object.entries(texts)) writeFileSync(join(directory, file), content);
        const numbers: number[] = [];
        JSON.stringify([readStatistics([directory]), readUsage([directory])], (_, value: unknown) => {
          if (typeof value === 'number') numbers.push(value);
          return value;
        });
        expect(numbers.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('readUsage', () => {
  it('is what the statistics tell of the whole life', () => {
    const usage = { memoryPeakBytes: 67_108_864, pidsPeak: 12, pidsMaxHits: 5 };
    expect(readUsage(directories1)).toEqual({ ...usage, cpuMicroseconds: 18446744073709552, oomKills: 2 });
    expect(readUsage([directory2])).toEqual({ ...usage, cpuMicroseconds: 6_123_456, oomKills: 4 });
  });
});

describe('gaugesOf', () => {
  it('reads the same figures again and again', () => {
    const { pressure, io, memory, pids, cpu } = readStatistics([directory2]);
    const read = gaugesOf([directory2]);
    for (let i = 0; i < 2; i++)
      expect(read()).toEqual({ pressure, io, memoryBytes: memory?.currentBytes, pids: pids?.current, cpuMicroseconds: cpu?.usageMicroseconds });
    expect(gaugesOf(directories1)()).toMatchObject({ memoryBytes: 50_331_648, pids: 3, cpuMicroseconds: 18446744073709552, pressure: undefined });
  });

  it('tells nothing of a group that is gone meanwhile, or was never there', () => {
    const directory = written(version2);
    const read = gaugesOf([directory]);
    rmSync(directory, { recursive: true });
    for (const gauges of [read(), gaugesOf([directory])()])
      expect(gauges).toMatchObject({ memoryBytes: undefined, pids: undefined, cpuMicroseconds: undefined });
  });
});
