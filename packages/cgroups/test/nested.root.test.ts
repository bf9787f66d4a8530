import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { launch, type Child } from '@ctr/syscall';
import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { createGroup, limit, type Cgroup, type CgroupLayout } from '@ctr/cgroups';

import { checkLeftovers, groupsOf, layout, parent, rejection, removeParent, script, sleeper, until } from './launched.js';

const unified: CgroupLayout = { mode: 'v2', hierarchies: layout.hierarchies.filter(({ version }) => version === 2) };
/** A controller of version 2, which this system has there: on a hybrid, often none but this. */
const hugetlb = unified.hierarchies[0]?.controllers.includes('hugetlb') === true;
const oneHugepage = { hugepages: { '2MB': 2 ** 21 } };

let count = 0;
const path = (): string => `${parent}/nested-${(count += 1)}`;

afterEach(checkLeftovers);
afterAll(removeParent);

async function eachKind(test: (group: Cgroup) => Promise<void>): Promise<void> {
  const groups = [await createGroup(path(), { pids: 30 }, { layout, measure: ['cpu', 'memory'] })];
  if (layout.mode === 'hybrid') groups.push(await createGroup(path(), {}, { layout: unified }));
  for (const group of groups) {
    try {
      await test(group);
    } finally {
      await group.remove();
    }
  }
}

describe('a group below a group', () => {
  it('is in the same hierarchies, has limits of its own, and goes with the one above', async () => {
    await eachKind(async (group) => {
      const limits = group.version === 2 ? {} : { pids: 3 };
      const below = await group.create('below', limits);
      expect(below.path).toBe(`${group.path}/below`);
      expect(below.directories).toEqual(group.directories.map((directory) => `${directory}/below`));
      const child = await sleeper([]);
      await below.add(child.pid);
      expect(group.pids()).toEqual([child.pid]);
      expect(groupsOf(child.pid).every((line) => line.endsWith(below.path))).toBe(true);
      const pidsMax = below.directories.map((directory) => `${directory}/pids.max`).find(existsSync);
      if (pidsMax !== undefined && group.version !== 2) expect(readFileSync(pidsMax, 'latin1')).toBe('3\n');
      const deeper = await below.create('deeper');
      expect(deeper.path).toBe(`${group.path}/below/deeper`);
      await group.remove();
      expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
      expect([...below.directories, ...deeper.directories].filter(existsSync)).toEqual([]);
      await below.remove();
    });
  });

  it('is refused a name that leads elsewhere, one that is taken, and a controller that the group above lacks', async () => {
    await eachKind(async (group) => {
      for (const name of ['', '.', '..', 'a/b', 'a\nb', 'tasks', 'cgroup.procs', 'memory.max', 'x'.repeat(256), 'a\0b'])
        expect(await rejection(group.create(name))).toBeInstanceOf(TypeError);
      await group.create('taken');
      expect(await rejection(group.create('taken'))).toMatchObject({ name: 'SyscallError', code: 'EEXIST' });
      expect(group.directories.map((directory) => `${directory}/taken`).every(existsSync)).toBe(true);
      expect(await rejection(group.create('other', { networkClassId: 0x10001 }))).toMatchObject({ name: 'CgroupError' });
      expect(await rejection(group.create('other', {}, { thread: true } as object))).toBeInstanceOf(TypeError);
      expect(group.directories.map((directory) => `${directory}/other`).filter(existsSync)).toEqual([]);
    });
  });
});

describe('moving', () => {
  it('moves all of a group to another, also to one below it', async () => {
    await eachKind(async (group) => {
      const [here, there] = [await group.create('here'), await group.create('there')];
      const children = [await sleeper([]), await sleeper([]), await sleeper([])];
      for (const child of children) await here.add(child.pid);
      await here.moveTo(there);
      expect(here.pids()).toEqual([]);
      expect(new Set(there.pids())).toEqual(new Set(children.map(({ pid }) => pid)));
      await group.moveTo(here);
      expect(here.pids()).toHaveLength(3);
      expect(there.pids()).toEqual([]);
      await group.remove();
      for (const child of children) await child.exited;
    });
  });

  it('moves a process with all that descends from it, if wanted', async () => {
    const family = await launch(script('sleep 1000 & (sleep 1000 & sleep 1000 & wait) & wait'), { stdio: ['ignore', 'ignore', 'ignore'] });
    await until('all are there', () => descendants(family.pid) === 4);
    {
      await using group = await limit(family.pid, { pids: 50 });
      expect(group.pids()).toEqual([family.pid]);
    }
    await family.exited;
    const again = await launch(script('sleep 1000 & (sleep 1000 & sleep 1000 & wait) & wait'), { stdio: ['ignore', 'ignore', 'ignore'] });
    await until('all are there', () => descendants(again.pid) === 4);
    await using group = await limit(again.pid, { pids: 50 }, { tree: true });
    expect(group.pids()).toHaveLength(5);
    await group.remove();
    await again.exited;
  });

  it('moves a tree that grows meanwhile', async () => {
    await using guard = await createGroup(path(), { pids: 300 }, { layout });
    const grower = await launch(script('kill -STOP $$; while :; do /bin/busybox true & wait $!; done'), { stdio: ['ignore', 'ignore', 'ignore'] });
    await until('it has stopped', () => readFileSync(`/proc/${grower.pid}/stat`, 'latin1').includes(') T '));
    await guard.add(grower.pid);
    grower.kill('SIGCONT');
    const group = await guard.create('tree');
    await group.add(grower.pid, { tree: true });
    await until('all are in it', () => group.pids().includes(grower.pid) && guard.pids().length === group.pids().length);
    await guard.remove();
    await grower.exited;
  });
});

function descendants(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
  return children.reduce((sum, child) => sum + 1 + descendants(child), 0);
}

describe.skipIf(unified.hierarchies.length === 0)('groups of threads (need cgroup v2, mounted)', () => {
  /** A process with more than one thread. */
  async function threaded(): Promise<{ child: Child; tids: number[] }> {
    const child = await launch(
      [{ call: 'execve', args: [process.execPath, ['node', '-e', 'setInterval(() => {}, 1000)'], ['PATH=/bin']], purpose: 'a program with threads' }],
      {
        stdio: ['ignore', 'ignore', 'ignore'],
      },
    );
    const tasks = (): number[] =>
      readFileSync(`/proc/${child.pid}/status`, 'latin1')
        .match(/^Threads:\s+(\d+)$/m)
        ?.slice(1)
        .map(Number) ?? [];
    await until('it has threads', () => (tasks()[0] ?? 0) > 4);
    return { child, tids: readdirSync(`/proc/${child.pid}/task`).map(Number) };
  }

  it('take single threads, give them back when they are removed, and end with their processes', async () => {
    const group = await createGroup(path(), {}, { layout: unified });
    const { child, tids } = await threaded();
    const tid = tids.at(-1) ?? 0;
    await group.add(child.pid);
    const below = await group.create('threads', {}, { threaded: true });
    await below.addThread(tid);
    expect(below.threads()).toEqual([tid]);
    expect(below.pids()).toEqual([]);
    expect(group.pids()).toEqual([child.pid]);
    expect(await rejection(below.kill())).toMatchObject({ name: 'CgroupError', kind: 'threaded' });
    await below.remove();
    expect(readFileSync(`/proc/${tid}/cgroup`, 'latin1')).toContain(`0::${group.path}\n`);
    const again = await group.create('threads', {}, { threaded: true });
    await again.addThread(tid);
    await group.remove();
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
  });

  it('take none of a process elsewhere, and none that is not there', async () => {
    await using group = await createGroup(path(), {}, { layout: unified });
    const below = await group.create('threads', {}, { threaded: true });
    const { child, tids } = await threaded();
    const error = await rejection(below.addThread(tids.at(-1) ?? 0));
    expect(error).toMatchObject({ name: 'SyscallError', code: 'EOPNOTSUPP' });
    expect(error.message).toContain('add the process to the group above first');
    expect(await rejection(below.addThread(4_194_304))).toMatchObject({ code: 'ESRCH' });
    for (const tid of [0, -1, 1.5]) expect(await rejection(below.addThread(tid))).toBeInstanceOf(RangeError);
    child.kill('SIGKILL');
    await child.exited;
  });

  it('say why they cannot be', async () => {
    const group = await createGroup(path(), hugetlb ? oneHugepage : {}, { layout: unified });
    const child = await sleeper([]);
    const reason = async (parent: Cgroup, name: string): Promise<string> => {
      const error = await rejection(parent.create(name, {}, { threaded: true }));
      expect(error).toMatchObject({ name: 'CgroupError', kind: 'threaded' });
      expect(parent.directories.some((directory) => existsSync(`${directory}/${name}`))).toBe(false);
      return error.message.replaceAll(group.directories[0] ?? '', '…');
    };
    const busy = await group.create('busy');
    await busy.add(child.pid);
    expect(await reason(group, 'threads')).toMatchInlineSnapshot(
      `"…/threads cannot be a group of threads: … has groups of processes below it (…/busy), and can have those or groups of threads: move these elsewhere"`,
    );
    await busy.remove();
    await child.exited;
    const first = await group.create('first', {}, { threaded: true });
    const second = await first.create('second');
    expect(await reason(second, 'third')).toMatchInlineSnapshot(
      `"…/first/second/third cannot be a group of threads: …/first/second is below a group of threads without being one: make that threaded first"`,
    );
    await first.remove();
    if (hugetlb) {
      const limited = await group.create('limited', oneHugepage);
      expect(await reason(group, 'threads')).toMatchInlineSnapshot(
        `"…/threads cannot be a group of threads: … passes hugetlb on, which counts processes only: give the groups below it limits of cpu, cpuset, perf_event, pids alone"`,
      );
      await limited.remove();
    }
    await group.remove();
  });

  it('are not on version 1, where each group takes threads', async (context) => {
    if (layout.mode === 'v2') context.skip('version 1 is not mounted');
    const v1: CgroupLayout = { mode: 'v1', hierarchies: layout.hierarchies.filter(({ version }) => version === 1) };
    expect(await rejection(createGroup(path(), { pids: 5 }, { layout: v1, threaded: true }))).toMatchObject({ kind: 'threaded' });
    await using group = await createGroup(path(), { pids: 50 }, { layout: v1 });
    const { child, tids } = await threaded();
    await group.addThread(tids.at(-1) ?? 0);
    expect(group.threads()).toEqual([tids.at(-1)]);
    expect(group.threads()).not.toContain(child.pid);
    child.kill('SIGKILL');
    await child.exited;
  });
});

describe.skipIf(!hugetlb)('the rule of no internal processes (needs a controller of cgroup v2: hugetlb does)', () => {
  it('is told, and heeded by moving the processes to a leaf if that is wanted', async () => {
    const group = await createGroup(path(), oneHugepage, { layout: unified });
    const child = await sleeper([]);
    await group.add(child.pid);
    const error = await rejection(group.create('job', oneHugepage));
    expect(error).toMatchObject({ kind: 'busy' });
    expect(error.message).toContain('moveToLeaf');
    expect(group.pids()).toEqual([child.pid]);
    expect(await rejection(group.create('job', oneHugepage, { moveToLeaf: '..' }))).toBeInstanceOf(TypeError);

    const job = await group.create('job', oneHugepage, { moveToLeaf: 'main' });
    expect(readFileSync(`/proc/${child.pid}/cgroup`, 'latin1')).toContain(`${group.path}/main\n`);
    expect(readFileSync(`${job.directories[0]}/hugetlb.2MB.max`, 'latin1')).toBe(`${2 ** 21}\n`);
    await group.create('second', oneHugepage, { moveToLeaf: 'main' });
    await group.remove();
    await child.exited;
  });

  it('holds for the groups above a new one as well', async () => {
    const above = path();
    const group = await createGroup(above, oneHugepage, { layout: unified });
    const child = await sleeper([]);
    await group.add(child.pid);
    expect(await rejection(createGroup(`${above}/a`, oneHugepage, { layout: unified }))).toMatchObject({ kind: 'busy' });
    const job = await createGroup(`${above}/a`, oneHugepage, { layout: unified, moveToLeaf: 'init' });
    expect(readFileSync(`/proc/${child.pid}/cgroup`, 'latin1')).toContain(`${above}/init\n`);
    await job.remove();
    await group.remove();
    await child.exited;
  });

  it('leaves all where it is when a process cannot be moved', async () => {
    const group = await createGroup(path(), oneHugepage, { layout: unified });
    const child = await sleeper([]);
    await group.add(child.pid);
    const [directory = ''] = group.directories;
    writeFileSync(`${directory}/cgroup.max.depth`, '0');
    expect(await rejection(group.create('job', oneHugepage, { moveToLeaf: 'new' }))).toMatchObject({ name: 'SyscallError', code: 'EAGAIN' });
    expect(readFileSync(`/proc/${child.pid}/cgroup`, 'latin1')).toContain(`${group.path}\n`);
    await group.remove();
    await child.exited;
  });
});
