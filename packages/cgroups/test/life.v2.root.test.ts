import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';

import { launch, type Child } from '@ctr/syscall';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createGroup, delegate, hierarchyOf, readLayout, type Cgroup } from '@ctr/cgroups';

import { checkLeftovers, enter, launched, layout, parent, rejection, removeParent, script, sleeper, takeMemory, until } from './launched.js';

const MiB = 2 ** 20;
const ID = 12_345;

beforeEach((context) => {
  if (layout.mode !== 'v2' || ['memory', 'cpu', 'io', 'pids'].some((controller) => hierarchyOf(layout, controller)?.version !== 2))
    context.skip('needs cgroup v2 alone, with the memory, cpu, io and pids controllers');
});
afterEach(checkLeftovers);
afterAll(removeParent);

let count = 0;
const path = (): string => `${parent}/life-${(count += 1)}`;

async function startedIn(group: Cgroup, text: string): Promise<Child> {
  const child = await launch(script(`kill -STOP $$; ${text}`), { stdio: ['ignore', 'ignore', 'ignore'] });
  await until('it has stopped', () => readFileSync(`/proc/${child.pid}/stat`, 'latin1').includes(') T '));
  await group.add(child.pid);
  child.kill('SIGCONT');
  return child;
}

function file(group: Cgroup, name: string): string {
  return readFileSync(`${group.directories[0]}/${name}`, 'latin1').trim();
}

describe('groups below groups', () => {
  it('have limits of their own, of controllers that the one above passes on for them', async () => {
    const group = await createGroup(path(), { pids: 100, memoryBytes: 256 * MiB, cpuCores: 1 }, { layout });
    expect(group.directories).toHaveLength(1);
    const below = await group.create('below', { pids: 10, memoryBytes: 64 * MiB });
    expect(file(group, 'cgroup.subtree_control').split(' ').toSorted()).toEqual(['memory', 'pids']);
    expect([file(below, 'pids.max'), file(below, 'memory.max')]).toEqual(['10', String(64 * MiB)]);
    const error = await rejection(below.create('deeper', { ioWeight: 50 }));
    expect(error).toMatchObject({ kind: 'no-controller' });
    const child = await sleeper([]);
    await below.add(child.pid);
    expect(await rejection(group.add(child.pid))).toMatchObject({ code: 'EBUSY' });
    await group.remove();
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
  });

  it('are made beside processes that are moved to a leaf', async () => {
    const group = await createGroup(path(), { pids: 100, memoryBytes: 256 * MiB }, { layout });
    const child = await startedIn(group, 'for i in 1 2 3; do sleep 1000 & done; wait');
    await until('there are four', () => group.pids().length === 4);
    expect(await rejection(group.create('job', { pids: 10 }))).toMatchObject({ kind: 'busy' });
    const job = await group.create('job', { pids: 10, memoryBytes: 64 * MiB }, { moveToLeaf: 'main' });
    expect(file(group, 'cgroup.procs')).toBe('');
    expect(readFileSync(`${group.directories[0]}/main/cgroup.procs`, 'latin1').split('\n').filter(Boolean)).toHaveLength(4);
    const [first] = readFileSync(`${group.directories[0]}/main/cgroup.procs`, 'latin1').split('\n');
    await job.add(Number(first));
    await group.remove();
    await child.exited;
  });

  it('are made below the group of this process, which is moved to a leaf', async () => {
    const own = await createGroup(path(), { pids: 1000, memoryBytes: 512 * MiB }, { layout });
    const before = readLayout().hierarchies[0]?.ownDirectory ?? '';
    await own.add(process.pid);
    try {
      const here = readLayout();
      expect(await rejection(createGroup('jobs/one', { pids: 10 }, { layout: here }))).toMatchObject({ kind: 'busy' });
      const job = await createGroup('jobs/one', { pids: 10 }, { layout: here, moveToLeaf: 'init' });
      expect(job.directories).toEqual([`${own.directories[0]}/jobs/one`]);
      expect(readLayout().hierarchies[0]?.ownDirectory).toBe(`${own.directories[0]}/init`);
      await job.remove();
    } finally {
      writeFileSync(`${before}/cgroup.procs`, String(process.pid));
    }
    await own.remove();
  });

  it('of threads have the limits that threads can have', async () => {
    const group = await createGroup(path(), { pids: 100, cpuCores: 1 }, { layout });
    const threads = await group.create('threads', { cpuCores: 0.1, pids: 3 }, { threaded: true });
    expect([file(threads, 'cgroup.type'), file(threads, 'cpu.max'), file(group, 'cgroup.type')]).toEqual(['threaded', '10000 100000', 'domain threaded']);
    const child = await launch(
      [{ call: 'execve', args: [process.execPath, ['node', '-e', 'setInterval(() => {}, 1000)'], []], purpose: 'a program with threads' }],
      {
        stdio: ['ignore', 'ignore', 'ignore'],
      },
    );
    const tids = (): number[] => readdirSync(`/proc/${child.pid}/task`).map(Number);
    await until('it has threads', () => tids().length > 4);
    await group.add(child.pid);
    for (const tid of tids().slice(-2)) await threads.addThread(tid);
    expect(file(threads, 'pids.current')).toBe('2');
    expect(threads.stats().pidsCurrent).toBe(2);
    expect(await rejection(group.create('memory', { memoryBytes: MiB }))).toMatchObject({ name: 'CgroupError' });
    await group.remove();
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
  });
});

describe('a delegated group', () => {
  it('can be divided by its new owner, within its own limits', async () => {
    await using group = await createGroup(path(), { pids: 30, memoryBytes: 128 * MiB }, { layout });
    const [directory = ''] = group.directories;
    delegate(group, { uid: ID, gid: ID });
    expect(statSync(`${directory}/pids.max`).uid).toBe(0);
    const { output } = await launched([
      ...enter(directory),
      { call: 'setgroups', args: [0, null], purpose: 'no other groups' },
      { call: 'setresgid', args: [ID, ID, ID], purpose: 'another group' },
      { call: 'setresuid', args: [ID, ID, ID], purpose: 'another user' },
      ...script(`set -e
        mkdir ${directory}/main ${directory}/job
        echo $$ > ${directory}/main/cgroup.procs
        echo +pids +memory > ${directory}/cgroup.subtree_control
        echo 5 > ${directory}/job/pids.max
        cat ${directory}/job/pids.max
        echo 1000 > ${directory}/pids.max || echo its own limits stay`),
    ]);
    expect(output).toMatch(/^5\n/);
    expect(output).toContain('its own limits stay');
  });
});

describe('faults', () => {
  it('a fork bomb is killed at one stroke', async () => {
    const group = await createGroup(path(), { pids: 60, cpuCores: 0.5 }, { layout });
    const child = await startedIn(group, 'bomb() { bomb | bomb & }; bomb; while :; do :; done');
    await until('it has met its limit', () => (group.stats().pidsMaxHits ?? 0) > 0);
    await group.remove();
    await child.exited;
  });

  it('memory that runs out is told from any other end', async () => {
    const group = await createGroup(path(), { memoryBytes: 16 * MiB, swapBytes: 0 }, { layout });
    const [directory = ''] = group.directories;
    expect((await launched([...enter(directory), ...takeMemory(64 * MiB)])).exit).toMatchObject({ signal: 'SIGKILL' });
    expect(group.stats().oomKills).toBe(1);
    await group.remove();
  });

  it('frozen groups end, with frozen groups in them', async () => {
    const group = await createGroup(path(), { pids: 30 }, { layout });
    const below = await group.create('below');
    const child = await startedIn(below, 'sleep 1000 & wait');
    await below.freeze();
    await group.freeze();
    await group.kill();
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
    await group.thaw();
    await group.remove();
    expect(group.directories.filter(existsSync)).toEqual([]);
  });

  it('too many or too deep groups are refused with a word on why', async () => {
    const group = await createGroup(path(), {}, { layout });
    writeFileSync(`${group.directories[0]}/cgroup.max.descendants`, '1');
    await group.create('one');
    const error = await rejection(group.create('two'));
    expect(error).toMatchObject({ code: 'EAGAIN' });
    expect(error.message).toContain('cgroup.max.descendants');
    await group.remove();
  });
});
