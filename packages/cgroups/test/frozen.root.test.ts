import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';

import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { checkThawed, frozenBy, groupAt, groupName, planGroup, removeGroup } from '@ctr/cgroups';

import { checkLeftovers, layout, parent, removeParent, sleeper } from './launched.js';

afterEach(checkLeftovers);
afterAll(removeParent);

/** A group that can be frozen, below one that can be, in each hierarchy in which that is possible here. */
const kinds = layout.hierarchies
  .filter(({ version, controllers }) => version === 2 || controllers.includes('freezer'))
  .map((hierarchy) => ({
    version: hierarchy.version,
    layout: { mode: hierarchy.version === 1 ? ('v1' as const) : ('v2' as const), hierarchies: [hierarchy] },
  }));

describe.each(kinds)('of version $version', ({ version, layout: only }) => {
  const name = groupName();
  const above = `${only.hierarchies[0]?.mount}${parent}/above`;
  const plan = () => planGroup(name, {}, { layout: only, parent: `${parent}/above`, freezer: true });
  const write = (directory: string, frozen: boolean): void =>
    version === 1 ? writeFileSync(`${directory}/freezer.state`, frozen ? 'FROZEN' : 'THAWED') : writeFileSync(`${directory}/cgroup.freeze`, frozen ? '1' : '0');

  it('what is frozen is found by its name, at a group and above, whether that is there or not', () => {
    const group = plan();
    const directory = group.directories[0] ?? '';
    expect(frozenBy(directory)).toBe(undefined);
    mkdirSync(directory, { recursive: true });
    expect(frozenBy(directory)).toBe(undefined);
    write(directory, true);
    expect(frozenBy(directory)).toBe(directory);
    expect(frozenBy(`${directory}/not/there`)).toBe(directory);
    write(directory, false);
    write(above, true);
    expect(frozenBy(directory)).toBe(above);
    expect(() => checkThawed(group)).toThrow(`the cgroup ${directory} is frozen by ${above}: no process runs in it`);
    rmdirSync(directory);
    expect(() => checkThawed(group)).toThrow(`the cgroup ${directory} is frozen by ${above}: no process runs in it`);
    write(above, false);
    expect(() => checkThawed(group)).not.toThrow();
    rmdirSync(above);
  });

  it('what is in a group that somebody has frozen above it is ended at once where the kernel can, and is named otherwise', async () => {
    const group = plan();
    const child = await sleeper(group.steps);
    write(above, true);
    const begin = performance.now();
    if (version === 2) await groupAt(group.places).kill();
    else {
      const words = `is frozen by ${above}: its processes were sent SIGKILL, and end when that one is thawed`;
      await expect(groupAt(group.places).kill()).rejects.toThrow(words);
      await expect(removeGroup(group.directories)).rejects.toThrow(words);
      await expect(groupAt(group.places).thaw()).rejects.toThrow(`is frozen by ${above}: thaw that one first`);
    }
    expect(performance.now() - begin).toBeLessThan(3000);
    write(above, false);
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
    await removeGroup(group.directories);
    rmdirSync(above);
  });

  it('what is frozen for a moment only, as whoever kills it does, is waited for', async () => {
    const group = plan();
    const child = await sleeper(group.steps);
    write(above, true);
    const removed = removeGroup(group.directories);
    write(above, false);
    await removed;
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
    rmdirSync(above);
  });
});
