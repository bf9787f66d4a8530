import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { collectGarbage, findByName, groupName, planGroup, removeGroup } from '@ctr/cgroups';

import { nodeProgram, type NodeProgram } from '../../../test/support/node-program.js';
import { layout, checkLeftovers, parent, removeParent, sleeper, until } from './launched.js';

let owners: NodeProgram;

// An owner of its own: it launches a program in a group, says which, and waits.
beforeAll(async () => {
  const source = `
    import { groupName, planGroup } from '@ctr/cgroups';
    import { launch } from '@ctr/syscall';
    const group = planGroup(groupName('orphan'), { pids: 10, memoryBytes: 64 * 2 ** 20 }, { parent: ${JSON.stringify(parent)} });
    const sleep = { call: 'execve', args: ['/bin/busybox', ['sleep', '1000'], []], purpose: 'sleep' } as const;
    const child = await launch([...group.steps, sleep], { stdio: ['ignore', 'ignore', 'ignore'] });
    console.log(JSON.stringify({ pid: child.pid, directories: group.directories }));
    setInterval(() => {}, 1000);`;
  owners = await nodeProgram(source, import.meta.dirname);
});
afterAll(() => {
  owners[Symbol.dispose]();
  removeParent();
});
afterEach(checkLeftovers);

async function startOwner(): Promise<{ owner: ChildProcess; pid: number; directories: string[] }> {
  const owner = spawn(process.execPath, [owners.path], { stdio: ['ignore', 'pipe', 'inherit'], env: owners.env });
  const lines = createInterface({ input: owner.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  return { owner, ...(JSON.parse(line) as { pid: number; directories: string[] }) };
}

describe('collectGarbage', () => {
  it('kills and removes what a killed owner has left, and leaves it alone while that lives', async () => {
    const { owner, pid, directories } = await startOwner();
    expect(findByName('orphan', { layout, parent })).toMatchObject({ name: 'orphan', pid: owner.pid });
    expect(await collectGarbage({ layout, parent })).toEqual([]);
    expect(directories.every(existsSync)).toBe(true);

    owner.kill('SIGKILL');
    await once(owner, 'exit');
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    expect(findByName('orphan', { layout, parent })).toBeUndefined();
    expect((await collectGarbage({ layout, parent })).toSorted()).toEqual(directories.toSorted());
    await until('the orphan is gone', () => !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z '));
    expect(await collectGarbage({ layout, parent })).toEqual([]);
  });

  it('leaves alone the groups of this process, of other pid namespaces, and what has another kind of name', async () => {
    const group = planGroup(groupName('own'), { pids: 5 }, { layout, parent });
    const child = await sleeper(group.steps);
    const above = group.directories[0]?.slice(0, -groupName('own').length - 1) ?? '';
    const others = ['plain', 'web.1', 'web.4194304', 'web.4194304.a-b'].map((name) => `${above}/${name}`);
    for (const other of others) mkdirSync(other);
    try {
      expect(await collectGarbage({ layout, parent })).toEqual([]);
      expect(others.every(existsSync)).toBe(true);
      expect(child.kill(0)).toBe(true);
    } finally {
      for (const other of others) rmdirSync(other);
      await removeGroup(group.directories);
      await child.exited;
    }
  });

  it('removes the empty groups of owners that are dead', async () => {
    const [hierarchy] = layout.hierarchies;
    const dead = `${hierarchy?.mount}${parent}/web.4194304.a`;
    mkdirSync(dead, { recursive: true });
    expect(await collectGarbage({ layout, parent })).toEqual([dead]);
  });

  it('removes the groups of compiled launchers that are gone, but kills nothing there', async () => {
    const group = planGroup('web.compiled.4194304', { pids: 5 }, { layout, parent });
    const child = await sleeper(group.steps);
    expect(await collectGarbage({ layout, parent })).toEqual([]);
    expect(child.kill('SIGKILL')).toBe(true);
    await child.exited;
    await until('the group is empty', () => group.directories.every((directory) => readFileSync(`${directory}/cgroup.procs`, 'latin1') === ''));
    for (const directory of group.directories) mkdirSync(`${directory}/.below/one`, { recursive: true });
    expect(await collectGarbage({ layout, parent })).toEqual(group.directories);
  });

  it('finds nothing where there is no such group above', async () => {
    expect(await collectGarbage({ layout, parent: '/ctr-test-nowhere' })).toEqual([]);
    await expect(collectGarbage({ parent: '/..' })).rejects.toThrow(TypeError);
  });
});

describe('findByName', () => {
  it('finds a group of a living owner by the name alone', async () => {
    const name = groupName('web');
    const group = planGroup(name, { pids: 5, memoryBytes: 2 ** 24 }, { layout, parent });
    expect(findByName('web', { layout, parent })).toBeUndefined();
    const child = await sleeper(group.steps);
    const found = findByName('web', { layout, parent });
    expect(found).toMatchObject({ name: 'web', pid: process.pid, directoryName: name });
    expect(found?.directories.toSorted()).toEqual(group.directories.toSorted());
    expect(findByName('we', { layout, parent })).toBeUndefined();
    await removeGroup(group.directories);
    await child.exited;
  });
});
