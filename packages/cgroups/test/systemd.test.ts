import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { CgroupError, parseLayout, type CgroupLayout, type Limits } from '../src/index.js';
import { Connection } from '../src/systemd/bus.js';
import { createScope, expandSlice, parseScopePath, placesOfScope, requireSystemd, scopeName } from '../src/systemd/index.js';
import { propertiesOf } from '../src/systemd/properties.js';
import { unifiedOf } from '../src/systemd/running.js';
import { nameOfScope } from '../src/systemd/unit-name.js';
import { systemdHybrid, systemdUnified, type LayoutTexts } from './layouts.js';

const layoutOf = ({ mountinfo, cgroup, unifiedControllers }: LayoutTexts): CgroupLayout => parseLayout(mountinfo, cgroup, unifiedControllers);

describe('names', () => {
  it('of a slice lead through those above it', () => {
    expect(['a.slice', 'a-b.slice', 'user-1000-x.slice', '-.slice'].map(expandSlice)).toEqual([
      'a.slice',
      'a.slice/a-b.slice',
      'user.slice/user-1000.slice/user-1000-x.slice',
      '',
    ]);
    for (const wrong of ['', 'a', 'a.scope', '-a.slice', 'a-.slice', 'a--b.slice', 'a/b.slice', '../a.slice', '.slice'])
      expect(() => expandSlice(wrong)).toThrow(/^"[^"]*" cannot be the name of a slice: /);
  });

  it('are escaped where the kernel could take them for a file', () => {
    const directories = [':ctr:web', 'a-memory.slice::devices', 'memory.slice::cgroup', 'b.slice::tasks', '-.slice::_x'].map(
      (path) => placesOfScope(parseScopePath(path), layoutOf(systemdUnified))[0]?.directory,
    );
    expect(directories.map((directory) => directory?.replace('/sys/fs/cgroup/', ''))).toEqual([
      'system.slice/ctr-web.scope',
      'a.slice/a-memory.slice/_devices.scope',
      '_memory.slice/_cgroup.scope',
      'b.slice/tasks.scope',
      '__x.scope',
    ]);
  });

  it('of a scope in a configuration are slice:prefix:name', () => {
    expect(parseScopePath('machine.slice:libpod:4711')).toEqual({ unit: 'libpod-4711.scope', slice: 'machine.slice' });
    expect(parseScopePath('::web')).toEqual({ unit: 'web.scope', slice: undefined });
    for (const wrong of ['', '/a/b', 'a:b', 'a:b:', 'a.slice:b:c:d'])
      expect(() => parseScopePath(wrong)).toThrow(/names no scope: systemd takes slice:prefix:name/);
    expect(() => parseScopePath(':a:b.slice')).toThrow(/names a slice, and processes are in scopes/);
    expect(() => parseScopePath('a.slice:b:c/d')).toThrow(/cannot be the name of a scope/);
    expect(() => parseScopePath('a:b:c')).toThrow(/"a" cannot be the name of a slice/);
  });

  it('of any text have what systemd does not take escaped', () => {
    expect(['web', 'a b', 'ü/..'].map(scopeName)).toEqual(['ctr-web.scope', String.raw`ctr-a\x20b.scope`, String.raw`ctr-\xc3\xbc\x2f...scope`]);
    expect(['web', 'a b', 'ü/..', String.raw`a\x20`].map((name) => nameOfScope(scopeName(name)))).toEqual(['web', 'a b', 'ü/..', String.raw`a\x20`]);
    expect(['web.scope', 'ctr-web.service'].map(nameOfScope)).toEqual([undefined, undefined]);
    expect(() => scopeName('x'.repeat(250))).toThrow(/cannot be the name of a scope: it has 1 to 255 of letters/);
  });
});

describe('properties', () => {
  const names = (limits: Limits): Record<string, unknown> => Object.fromEntries(propertiesOf(limits).map(([name, [, value]]) => [name, value]));

  it('are what systemd has for the limits, in its units', () => {
    expect(
      names({ pids: 20, memoryBytes: 4096, swapBytes: 'max', memoryReservationBytes: 5, cpuShares: 1024, cpuCores: 1.5, cpuPeriodMicroseconds: 50_000 }),
    ).toEqual({
      TasksMax: 20,
      MemoryMax: 4096,
      MemorySwapMax: '18446744073709551615',
      MemoryLow: 5,
      CPUWeight: 100,
      CPUQuotaPerSecUSec: 1_500_000,
      CPUQuotaPeriodUSec: 50_000,
    });
    expect(names({})).toEqual({});
  });

  it('have a quota in whole percent of a processor, never less than what was asked for', () => {
    expect([0.01, 0.333, 1, 2.005].map((cpuCores) => names({ cpuCores })['CPUQuotaPerSecUSec'])).toEqual([10_000, 340_000, 1_000_000, 2_010_000]);
    expect(names({ cpuQuotaMicroseconds: 'max' })['CPUQuotaPerSecUSec']).toBe('18446744073709551615');
  });

  it('have lists as bits, the least first', () => {
    expect(names({ cpus: '0-3,5', memoryNodes: '0' })).toEqual({ AllowedCPUs: [0b10_1111], AllowedMemoryNodes: [1] });
    expect(names({ cpus: '9' })).toEqual({ AllowedCPUs: [0, 2] });
  });

  it('name disks by paths', () => {
    expect(names({ ioWeight: 50, ioDevices: [{ device: '8:0', weight: 7, readBytesPerSecond: 100, writeOperationsPerSecond: 'max' }] })).toEqual({
      IOWeight: 50,
      IODeviceWeight: [['/dev/block/8:0', 7]],
      IOReadBandwidthMax: [['/dev/block/8:0', 100]],
      IOWriteIOPSMax: [['/dev/block/8:0', '18446744073709551615']],
    });
  });

  it('include the files that are named themselves, if systemd would write them as well', () => {
    const unified = { 'memory.high': '64M', 'pids.max': 'max', 'cpu.max': '5000 10000', 'cpu.weight': '7', 'cpuset.cpus': '1', 'hugetlb.2MB.max': '0' };
    expect(names({ memoryHighBytes: 1, unified })).toEqual({
      MemoryHigh: 64 * 2 ** 20,
      TasksMax: '18446744073709551615',
      CPUQuotaPerSecUSec: 500_000,
      CPUQuotaPeriodUSec: 10_000,
      CPUWeight: 7,
      AllowedCPUs: [2],
    });
  });
});

describe('without systemd', () => {
  it('is said what is missing, before anything is made', async (context) => {
    if (existsSync('/run/systemd/system')) context.skip('systemd is running here');
    const layout = layoutOf(systemdUnified);
    expect(() => requireSystemd(layout)).toThrow(/^systemd is not running here: \/run\/systemd\/system is missing\. .*--cgroup-manager cgroupfs/);
    await expect(createScope('a.scope', { pids: [process.pid], layout })).rejects.toMatchObject({ kind: 'no-systemd' });
  });

  it('and on version 1 as well', () => {
    expect(() => unifiedOf(layoutOf(systemdHybrid))).toThrow(/^a scope of systemd needs cgroup v2 alone, and here is hybrid: /);
  });

  it('is told what cannot be', async () => {
    await expect(createScope('a.service', { pids: [1] })).rejects.toThrow(/"a\.service" cannot be the name of a scope/);
    await expect(createScope('a.scope', { pids: [] })).rejects.toThrow(/has no processes/);
    await expect(createScope('a.scope', { pids: [0] })).rejects.toThrow('0 is not the id of a process');
    await expect(createScope('a.scope', { pids: [1], limits: { pids: 0 } })).rejects.toThrow(RangeError);
    await expect(createScope('a.scope', { pids: [1], slice: 'a' })).rejects.toThrow(/cannot be the name of a slice/);
  });
});

describe('a connection', () => {
  const directory = (): string => mkdtempSync(join(tmpdir(), 'ctr-bus-'));
  const listening = async (path: string): Promise<Server> => {
    const server = createServer((socket) => socket.once('data', () => socket.destroy())).listen(path);
    await once(server, 'listening');
    return server;
  };

  it('that is lost is an error that says so, rather than a wait', async () => {
    const path = join(directory(), 'bus');
    const server = await listening(path);
    const error: unknown = await Connection.open([{ path, isBus: true }], AbortSignal.timeout(20_000)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CgroupError);
    expect(String(error)).toMatch(/^CgroupError: the connection to systemd by \S+ is lost.*may this user ask it\?$/);
    server.close();
    rmSync(join(path, '..'), { recursive: true });
  });

  it('that nobody takes is an error with its cause, after all others were tried', async () => {
    const path = join(directory(), 'bus');
    const error: unknown = await Connection.open(
      [
        { path: `${path}-1`, isBus: true },
        { path, isBus: false },
      ],
      AbortSignal.timeout(20_000),
    ).catch((reason: unknown) => reason);
    expect(String(error)).toMatch(/^CgroupError: systemd cannot be reached by \S+\/bus: connect ENOENT/);
    rmSync(join(path, '..'), { recursive: true });
  });
});
