import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { perform, type Child } from '@ctr/syscall';
import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { groupName, planGroup, removeGroup, type PlannedGroup } from '@ctr/cgroups';

import { stillRunning } from '../src/still-running.js';
import { layout, checkLeftovers, parent, rejection, removeParent, sleeper, until } from './launched.js';

const unified = { mode: 'v2' as const, hierarchies: layout.hierarchies.filter(({ version }) => version === 2) };

afterEach(checkLeftovers);
afterAll(removeParent);

/** One of version 1 where there is that, and one of version 2 where there is that. */
function kinds(): PlannedGroup[] {
  const groups = [planGroup(groupName(), { pids: 30 }, { layout, parent, freezer: true })];
  if (layout.mode === 'hybrid') groups.push(planGroup(groupName(), {}, { layout: unified, parent, freezer: true }));
  return groups;
}

function moveInto(directory: string, pid: number): void {
  writeFileSync(`${directory}/cgroup.procs`, String(pid));
}

describe('removeGroup', () => {
  it('is done before it returns where the group is empty, and does nothing where there is none', async () => {
    for (const group of kinds()) {
      perform([...group.create, ...group.close]);
      const removed = removeGroup(group.directories);
      expect(group.directories.filter(existsSync)).toEqual([]);
      await removed;
      await removeGroup(group.directories);
    }
  });

  it('kills what runs in it', async () => {
    for (const group of kinds()) {
      const child = await sleeper(group.steps);
      await removeGroup(group.directories);
      expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
    }
  });

  it('removes the groups below, with what runs there, whatever their names are', async () => {
    for (const group of kinds()) {
      const child = await sleeper(group.steps);
      const children: Child[] = [child];
      for (const directory of group.directories) {
        for (const name of ['.hidden', '..b', ' a b ', '-', 'ä', 'x'.repeat(255)]) mkdirSync(`${directory}/${name}/one/two`, { recursive: true });
        mkdirSync(Buffer.from(`${directory}/\xff\xfe`, 'latin1'));
        const other = await sleeper([]);
        moveInto(`${directory}/.hidden/one/two`, other.pid);
        children.push(other);
      }
      await removeGroup(group.directories);
      for (const each of children) expect(await each.exited).toMatchObject({ signal: 'SIGKILL' });
      expect(group.directories.filter(existsSync)).toEqual([]);
    }
  });

  it('removes groups that are nested deeper than a path can be long', async () => {
    for (const group of kinds()) {
      perform([...group.create, ...group.close]);
      const [directory = ''] = group.directories;
      const name = 'd'.repeat(200);
      const start = process.cwd();
      try {
        process.chdir(directory);
        for (let depth = 0; depth < 30; depth++) {
          mkdirSync(name);
          process.chdir(name);
        }
      } finally {
        process.chdir(start);
      }
      await removeGroup(group.directories);
      expect(group.directories.filter(existsSync)).toEqual([]);
    }
  });

  it('removes a group that is frozen', async () => {
    for (const group of kinds()) {
      const child = await sleeper(group.steps);
      const place = group.places.find(({ version, controllers }) => version === 2 || controllers.includes('freezer'));
      if (place?.version === 2) writeFileSync(`${place.directory}/cgroup.freeze`, '1');
      else writeFileSync(`${place?.directory}/freezer.state`, 'FROZEN');
      await removeGroup(group.directories);
      expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
    }
  });

  it('never kills this process, nor those that are in a group with it', async (context) => {
    const hierarchy = layout.hierarchies.find(({ controllers }) => controllers.includes('pids'));
    const own = hierarchy?.ownDirectory;
    if (own === undefined) return context.skip('the pids group of this process cannot be seen');
    const group = planGroup(groupName(), { pids: 1000 }, { layout, parent });
    const child = await sleeper(group.steps);
    const [directory = ''] = group.directories;
    mkdirSync(`${directory}/below`);
    try {
      moveInto(hierarchy?.version === 2 ? directory : `${directory}/below`, process.pid);
      expect(await rejection(removeGroup(group.directories))).toMatchObject({ name: 'CgroupError', kind: 'busy' });
      expect(child.kill(0)).toBe(true);
    } finally {
      moveInto(own, process.pid);
    }
    await removeGroup(group.directories);
    await child.exited;
  });

  it('gives up when it is told to, or when it is late, and then names the processes', async () => {
    const [group] = kinds();
    if (!group) throw new Error('there are no control groups');
    const child = await sleeper(group.steps);
    const reason = new Error('enough');
    expect(await rejection(removeGroup(group.directories, { cancelSignal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(group.directories.filter(existsSync)).toEqual(group.directories);
    const [directory = ''] = group.directories;
    const line = new RegExp(`1 of its processes do not end:\n  ${child.pid} \\((busybox|sleep)\\) in state S, waits in \\w+`);
    await until('it sleeps', () => line.test(stillRunning([directory])));
    expect(await rejection(removeGroup(group.directories, { timeoutSeconds: 1 } as object))).toBeInstanceOf(TypeError);
    await removeGroup(group.directories);
    expect(stillRunning([directory])).toContain('no process is left in it');
    await child.exited;
  });
});
