import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';

import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { CgroupError } from '../src/index.js';
import { createScope, findScopes, scopeAt, scopeName, type Scope } from '../src/systemd/index.js';

const started: ChildProcess[] = [];
const scopes: Scope[] = [];
let count = 0;

afterEach(async () => {
  for (const scope of scopes.splice(0)) await scope.stop();
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
});

beforeAll(() => {
  expect(systemctl('show', '-p', 'Version', '--value')).toMatch(/^\d+/);
});

describe('a scope of systemd', () => {
  it('has the process in it, with limits that the kernel and systemd know', async () => {
    const pid = sleeping();
    const scope = await create([pid], { pids: 20, memoryBytes: 64 * 2 ** 20, cpuCores: 0.255, cpuShares: 512, swapBytes: 0, cpus: '0-1' });
    expect(readFileSync(`/proc/${pid}/cgroup`, 'latin1').trim()).toBe(`0::/system.slice/${scope.unit}`);
    expect(scope.group.pids()).toEqual([pid]);
    expect(files(scope, 'pids.max', 'memory.max', 'cpu.max', 'memory.swap.max', 'cpuset.cpus')).toEqual(['20', '67108864', '25500 100000', '0', '0-1']);
    expect(shown(scope, 'TasksMax', 'MemoryMax', 'CPUQuotaPerSecUSec', 'MemorySwapMax', 'AllowedCPUs', 'Delegate', 'CollectMode')).toEqual({
      TasksMax: '20',
      MemoryMax: '67108864',
      CPUQuotaPerSecUSec: '260ms',
      MemorySwapMax: '0',
      AllowedCPUs: '0-1',
      Delegate: 'yes',
      CollectMode: 'inactive-or-failed',
    });
    expect(shown(scope, 'CPUWeight')['CPUWeight']).toBe(files(scope, 'cpu.weight')[0]);
  });

  it('keeps its limits when systemd reads its units again', async () => {
    const scope = await create([sleeping()], { pids: 20, memoryBytes: 2 ** 26, unified: { 'memory.high': '32M' } });
    systemctl('daemon-reload');
    systemctl('set-property', '--runtime', scope.unit, 'CPUWeight=50');
    expect(files(scope, 'pids.max', 'memory.max', 'memory.high', 'cpu.weight')).toEqual(['20', '67108864', '33554432', '50']);
  });

  it('is in the slice that is named, each dash of which is a slice above', async () => {
    const scope = await create([sleeping()], {}, { slice: 'ctr-test.slice', description: 'a test' });
    expect(scope.group.directories).toEqual([`/sys/fs/cgroup/ctr.slice/ctr-test.slice/${scope.unit}`]);
    expect(shown(scope, 'Slice', 'Description')).toEqual({ Slice: 'ctr-test.slice', Description: 'a test' });
  });

  it('of the name of a container is found, in its slice too', async () => {
    const directories = (slice?: string) => findScopes(slice === undefined ? {} : { slice }).map(({ name, unit, directory }) => ({ name, unit, directory }));
    const before = directories();
    const scope = await create([sleeping()], {}, { slice: 'ctr-test.slice' });
    const directory = scope.group.directories[0] ?? '';
    const found = { name: scope.unit.slice('ctr-'.length, -'.scope'.length), unit: scope.unit, directory };
    expect(directories()).toEqual(expect.arrayContaining([...before, found]));
    expect(directories('ctr.slice')).toEqual([found]);
    expect(directories('nosuch.slice')).toEqual([]);
    await scope.stop();
    expect(directories()).toEqual(before);
  });

  it('is not looked for among what another user has made', () => {
    const other = '/sys/fs/cgroup/ctrother.slice';
    mkdirSync(`${other}/ctr-x.scope`, { recursive: true });
    try {
      expect(findScopes({ slice: 'ctrother.slice' }).map(({ name }) => name)).toEqual(['x']);
      chownSync(`${other}/ctr-x.scope`, 1, 1);
      expect(findScopes({ slice: 'ctrother.slice' })).toEqual([]);
      chownSync(`${other}/ctr-x.scope`, 0, 0);
      chownSync(other, 1, 1);
      expect(findScopes().map(({ directory }) => directory)).not.toContain(`${other}/ctr-x.scope`);
    } finally {
      rmdirSync(`${other}/ctr-x.scope`);
      rmdirSync(other);
    }
  });

  it('has limits that systemd has no word for: huge pages, and rules about devices', async () => {
    const scope = await create([sleeping()], { hugepages: { '2MB': 2 ** 21 }, devices: [{ allow: false, type: 'all' }] });
    expect(files(scope, 'hugetlb.2MB.max')).toEqual(['2097152']);
    await expect(scope.set({ devices: [] })).resolves.toBeUndefined();
  });

  it('changes limits for both, and none where the kernel refuses one', async () => {
    const scope = await create([sleeping()], { pids: 20, cpuCores: 1 });
    await scope.set({ pids: 40, cpuCores: 0.333 });
    expect(files(scope, 'pids.max', 'cpu.max')).toEqual(['40', '33300 100000']);
    expect(shown(scope, 'TasksMax', 'CPUQuotaPerSecUSec')).toEqual({ TasksMax: '40', CPUQuotaPerSecUSec: '340ms' });
    await expect(scope.set({ pids: 50, cpus: '4000' })).rejects.toThrow(/cpuset\.cpus/);
    expect(shown(scope, 'TasksMax')).toEqual({ TasksMax: '40' });
    expect(files(scope, 'pids.max')).toEqual(['40']);
    await scope.set({ pids: 'max', cpuCores: 'max' });
    expect(shown(scope, 'TasksMax', 'CPUQuotaPerSecUSec')).toEqual({ TasksMax: 'infinity', CPUQuotaPerSecUSec: 'infinity' });
  });

  it('is stopped with what runs in it, and another process may do that', async () => {
    const pid = sleeping();
    const scope = await create([pid]);
    await scopeAt(scope.unit, scope.places).stop();
    expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
    expectGone(scope);
    await scope.stop();
  });

  it('ends by itself with its last process', async () => {
    const child = start('sleep', '600');
    const scope = await create([child.pid ?? 0]);
    const events = scope.group.events({ types: ['removed'] });
    child.kill('SIGKILL');
    for await (const { type } of events) if (type === 'removed') break;
    expectGone(scope);
  });
});

describe('what systemd refuses', () => {
  it('a name that is taken: the other scope stays, and the process is where it was', async () => {
    const other = await create([sleeping()], { pids: 20 });
    const pid = sleeping();
    const before = readFileSync(`/proc/${pid}/cgroup`, 'latin1');
    const error = await refusal(createScope(other.unit, { pids: [pid], limits: { pids: 30 } }));
    expect(error.kind).toBe('unit');
    expect(error.message).toContain('org.freedesktop.systemd1.UnitExists');
    expect(error.message).toContain('give another name, or end that one first');
    expect(readFileSync(`/proc/${pid}/cgroup`, 'latin1')).toBe(before);
    expect(files(other, 'pids.max')).toEqual(['20']);
  });

  it('a process that has ended', async () => {
    const child = start('true');
    await once(child, 'exit');
    const unit = nextUnit();
    const error = await refusal(createScope(unit, { pids: [child.pid ?? 0] }));
    expect(error.kind).toBe('unit');
    expect(error.message).toContain('has ended');
    expect(systemctl('show', '-p', 'LoadState', '--value', unit)).toBe('not-found');
  });

  it('a property: a thread of the kernel in the place of a process', async () => {
    const unit = nextUnit();
    const error = await refusal(createScope(unit, { pids: [2] }));
    expect(error.message).toMatch(/^systemd refused to make the scope \S+: .*kernel thread/);
    expect(systemctl('show', '-p', 'LoadState', '--value', unit)).toBe('not-found');
  });

  it('and where the kernel refuses a limit, no scope is left, and its process is killed', async () => {
    const child = start('sleep', '600');
    const exited = once(child, 'exit');
    const unit = nextUnit();
    await expect(createScope(unit, { pids: [child.pid ?? 0], limits: { cpus: '4000' } })).rejects.toThrow(/cpuset\.cpus/);
    expect(await exited).toEqual([null, 'SIGKILL']);
    expect(systemctl('show', '-p', 'LoadState', '--value', unit)).toBe('not-found');
  });
});

describe('the way to systemd', () => {
  it('leads by its own socket where nobody listens on the bus', async () => {
    systemctl('stop', 'dbus.socket', 'dbus.service');
    try {
      const scope = await create([sleeping()], { pids: 20 });
      await scope.set({ pids: 40 });
      expect(files(scope, 'pids.max')).toEqual(['40']);
      await scope.stop();
      expectGone(scope);
    } finally {
      systemctl('start', 'dbus.socket');
    }
  });

  it('is given up when the caller says so', async () => {
    const reason = new Error('no longer wanted');
    await expect(createScope(nextUnit(), { pids: [sleeping()], cancelSignal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

function start(program: string, ...args: string[]): ChildProcess {
  const child = spawn(program, args, { stdio: 'ignore' });
  started.push(child);
  return child;
}

function sleeping(): number {
  return start('sleep', '600').pid ?? 0;
}

function nextUnit(): string {
  return scopeName(`test-${process.pid}-${++count}`);
}

async function create(pids: number[], limits = {}, options = {}): Promise<Scope> {
  const scope = await createScope(nextUnit(), { pids, limits, ...options });
  scopes.push(scope);
  return scope;
}

async function refusal(promise: Promise<Scope>): Promise<CgroupError> {
  const error: unknown = await promise.then(
    (scope) => {
      scopes.push(scope);
      return undefined;
    },
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CgroupError);
  return error as CgroupError;
}

function files(scope: Scope, ...names: string[]): string[] {
  return names.map((name) => readFileSync(`${scope.group.directories[0]}/${name}`, 'latin1').trim());
}

function shown({ unit }: Scope, ...properties: string[]): Record<string, string> {
  const lines = systemctl('show', '-p', properties.join(','), unit).split('\n');
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

function expectGone({ unit, group }: Scope): void {
  expect(systemctl('show', '-p', 'LoadState', '--value', unit)).toBe('not-found');
  for (const directory of group.directories) expect(existsSync(directory)).toBe(false);
}

function systemctl(...args: string[]): string {
  const { stdout, stderr, status, error } = spawnSync('systemctl', args, { encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(`systemctl ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}
