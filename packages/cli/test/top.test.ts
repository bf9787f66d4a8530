import { stripVTControlCharacters } from 'node:util';

import { describe, expect, it } from 'vitest';

import { pidsIn, usageOfProcesses } from '../src/top/processes.js';
import type { Row } from '../src/top/sampler.js';
import { short, tableOf } from '../src/top/table.js';

const unknown: Row = {
  name: 'quiet',
  pid: undefined,
  cpuPercent: undefined,
  memoryBytes: undefined,
  memoryLimitBytes: undefined,
  pids: undefined,
  pidsMax: undefined,
  readBytesPerSecond: undefined,
  writeBytesPerSecond: undefined,
  pressure: { cpu: undefined, memory: undefined, io: undefined },
  estimated: false,
};

const rows: readonly Row[] = [
  {
    name: 'web',
    pid: 4711,
    cpuPercent: 150.04,
    memoryBytes: 60 * 2 ** 20,
    memoryLimitBytes: 64 * 2 ** 20,
    pids: 14,
    pidsMax: 2048,
    readBytesPerSecond: 1_258_291,
    writeBytesPerSecond: 0,
    pressure: { cpu: 12.3, memory: 40.6, io: 0 },
    estimated: false,
  },
  { ...unknown, name: 'guess', pid: 12, cpuPercent: 3, memoryBytes: 5000, pids: 1, pidsMax: 'max', pressure: { cpu: 0.1, memory: 0, io: 0 }, estimated: true },
  unknown,
];

describe('the table', () => {
  it('has bars where there is room', () => {
    expect(`\n${tableOf(rows, { columns: 120, colors: false }).join('\n')}\n`).toMatchInlineSnapshot(`
      "
      NAME          PID          CPU%           MEM/LIMIT       PIDS    READ/WRITE    PRESSURE
      web          4711  █████  150.0  ████▊  60.0M/64.0M    14/2048       1.2M/0B     mem 41%
      guess          12  ▏        3.0               ~4.9K          1             –          0%
      quiet           –             –                   –          –             –           –
      "
    `);
  });

  it('leaves columns out where there is less', () => {
    expect(`\n${tableOf(rows, { columns: 80, colors: false }).join('\n')}\n`).toMatchInlineSnapshot(`
      "
      NAME         PID   CPU%          MEM/LIMIT      PIDS   READ/WRITE   PRESSURE
      web         4711  150.0 ████▊  60.0M/64.0M   14/2048      1.2M/0B    mem 41%
      guess         12    3.0              ~4.9K         1            –         0%
      quiet          –      –                  –         –            –          –
      "
    `);
    expect(`\n${tableOf(rows, { columns: 40, colors: false }).join('\n')}\n`).toMatchInlineSnapshot(`
      "
      NAME       CPU%    MEM/LIMIT      PIDS
      web       150.0  60.0M/64.0M   14/2048
      guess       3.0        ~4.9K         1
      quiet         –            –         –
      "
    `);
  });

  it.each([20, 30, 40, 60, 80, 100, 120, 200])('fits %d columns, and some lines', (columns) => {
    const names = Array.from({ length: 30 }, (_, i): Row => ({ ...unknown, name: 'n'.repeat(i * 3 + 1) }));
    const lines = tableOf([...rows, ...names], { columns, lines: 12, colors: false });
    expect(lines).toHaveLength(12);
    expect(lines.at(-1)).toBe('and 23 more');
    if (columns >= 30) expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
  });

  it('is as wide with colors', () => {
    const plain = tableOf(rows, { columns: 120, colors: false });
    const colored = tableOf(rows, { columns: 120, colors: true }).map((line) => stripVTControlCharacters(line).trimEnd());
    expect(colored).toEqual(plain);
  });

  it('says that there are none', () => {
    expect(tableOf([], { columns: 80, colors: false })).toEqual(['no containers of this user run']);
  });
});

it.each([
  [0, '0B'],
  [999, '999B'],
  [1000, '1.0K'],
  [60 * 2 ** 20, '60.0M'],
  [999.4 * 2 ** 20, '999M'],
  [2 ** 50, '1024T'],
])('%d bytes are %s', (bytes, text) => {
  expect(short(bytes)).toBe(text);
});

it('counts what processes say of themselves', () => {
  const { cpuMicroseconds, memoryBytes } = usageOfProcesses([process.pid, 4_194_304]);
  expect(cpuMicroseconds).toBeGreaterThan(0);
  expect(memoryBytes / process.memoryUsage.rss()).toBeGreaterThan(0.5);
  expect(memoryBytes / process.memoryUsage.rss()).toBeLessThan(2);
  expect(pidsIn('/sys/fs/cgroup/nothing')).toEqual([]);
});
