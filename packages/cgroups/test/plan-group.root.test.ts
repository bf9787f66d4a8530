import { existsSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { CLONE_INTO_CGROUP, cloneArgs, compile, isSyscallError, label, launch, perform, resultOf, signals, type Step } from '@ctr/syscall';
import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { groupAt, groupName, planGroup, readUsage, removeGroup, removeSteps, type Limits, type Place, type PlannedGroup } from '@ctr/cgroups';

import { makeDirectory } from '../src/directory.js';
import { checkLeftovers, groupsOf, launched, layout, leftovers, parent, rejection, removeParent, script, sleeper, takeMemory, until } from './launched.js';

const MiB = 2 ** 20;
const unified = { mode: 'v2' as const, hierarchies: layout.hierarchies.filter(({ version }) => version === 2) };

afterEach(checkLeftovers);
afterAll(removeParent);

function plan(limits: Limits, measure: ('memory' | 'cpu' | 'pids')[] = []): PlannedGroup {
  return planGroup(groupName(), limits, { layout, parent, measure });
}

describe('planGroup', () => {
  it('has the program born in the group, with its limits, and no file of it open', async () => {
    const group = plan({ pids: 20, memoryBytes: 64 * MiB, cpuCores: 0.5 });
    const { output } = await launched([...group.steps, ...script('cat /proc/self/cgroup; ls /proc/self/fd | wc -l')]);
    for (const directory of group.directories) expect(output).toContain(directory.slice(directory.indexOf(parent)));
    // stdin, stdout, stderr, and the directory that ls reads.
    expect(output.endsWith('\n4')).toBe(true);
    const [place] = group.places;
    expect(readFileSync(`${place?.directory}/pids.max`, 'latin1')).toBe('20\n');
    await removeGroup(group.directories);
    expect(group.directories.filter(existsSync)).toEqual([]);
  });

  it('is in every hierarchy, where that is asked for, and can be held by its places', async () => {
    const group = planGroup(groupName(), { pids: 20 }, { layout, parent, everywhere: true });
    expect(group.places.length).toBe(layout.hierarchies.length);
    const { output } = await launched([...group.steps, ...script('cat /proc/self/cgroup')]);
    const paths = output.trim().split('\n');
    expect(paths.filter((line) => !line.includes(parent))).toEqual([]);
    const held = groupAt(JSON.parse(JSON.stringify(group.places)) as Place[]);
    expect(held.pids()).toEqual([]);
    await held.set({ pids: 30 });
    await held.freeze();
    await held.thaw();
    const pids = group.places.find(({ controllers }) => controllers.includes('pids'));
    expect(readFileSync(`${pids?.directory}/pids.max`, 'latin1')).toBe('30\n');
    await held.remove();
    expect(group.directories.filter(existsSync)).toEqual([]);
  });

  it('stops a fork bomb, counts what it refused, and is gone with all of it', async () => {
    const group = plan({ pids: 12 });
    const { output } = await launched([...group.steps, ...script('i=0; while [ $i -lt 60 ]; do sleep 1000 & i=$((i+1)); done')]);
    expect(output).toMatch(/fork.*(Resource temporarily unavailable|EAGAIN)/i);
    const usage = group.read();
    expect(usage.pidsMaxHits).toBeGreaterThan(0);
    if (usage.pidsPeak !== undefined) expect(usage.pidsPeak).toBe(12);
    await removeGroup(group.directories);
    expect(group.directories.filter(existsSync)).toEqual([]);
  });

  it('kills what takes more memory than it may, and counts it', async () => {
    const group = plan({ memoryBytes: 16 * MiB });
    const { exit } = await launched([...group.steps, ...takeMemory(64 * MiB)]);
    expect(exit.signal).toBe('SIGKILL');
    const usage = group.read();
    expect(usage.oomKills).toBe(1);
    if (usage.memoryPeakBytes !== undefined) expect(usage.memoryPeakBytes).toBeGreaterThan(15 * MiB);
    // The kernel lets a process that ends go a little over its limit.
    expect(usage.memoryPeakBytes ?? 0).toBeLessThanOrEqual(17 * MiB);
    expect(readUsage(group.directories)).toMatchObject({ oomKills: 1, memoryPeakBytes: usage.memoryPeakBytes });
    await removeGroup(group.directories);
  });

  it('measures without limiting', async () => {
    const group = plan({}, ['cpu', 'memory', 'pids']);
    const start = performance.now();
    await launched([...group.steps, ...script('i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done')]);
    expect(group.read()).toMatchObject({ oomKills: 0, pidsMaxHits: 0 });
    expect(group.read().cpuMicroseconds).toBeGreaterThan(10_000);
    expect(group.read().cpuMicroseconds).toBeLessThan((performance.now() - start) * 1000);
    await removeGroup(group.directories);
    expect(group.read()).toMatchObject({ cpuMicroseconds: undefined, memoryPeakBytes: undefined });
  });

  it('refuses a group that is there, and its undo leaves that alone', async () => {
    const name = groupName('taken');
    const options = { layout, parent };
    const first = planGroup(name, { pids: 5 }, options);
    const child = await sleeper(first.steps);
    const second = planGroup(name, { pids: 5 }, options);
    const error = await rejection(launch([...second.steps, ...script('true')]));
    if (!isSyscallError(error)) throw error;
    expect(error).toMatchObject({ call: 'mkdirat', code: 'EEXIST' });
    expect(error.message).toContain('a group of this name is there already');
    await second.undo(error);
    expect(groupsOf(child.pid)).toHaveLength(1);
    await removeGroup(first.directories);
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
  });

  it('is undone after a failure of a later step', async () => {
    const group = plan({ pids: 5, memoryBytes: 16 * MiB });
    const error = await rejection(launch([...group.steps, { call: 'chdir', args: ['/nowhere'], purpose: 'fail' }, ...script('true')]));
    await group.undo(error);
    expect(group.directories.filter(existsSync)).toEqual([]);
  });

  it('makes and removes a hundred groups', async () => {
    const groups = Array.from({ length: 100 }, () => planGroup(groupName(), { pids: 5 }, { layout, parent }));
    for (const { create, close } of groups) perform([...create, ...close]);
    expect(leftovers()).toHaveLength(100);
    for (const { directories } of groups) await removeGroup(directories);
  });

  it('works in the unified hierarchy', async (context) => {
    if (unified.hierarchies.length === 0) context.skip('no cgroup2 is mounted');
    const group = planGroup(groupName(), {}, { layout: unified, parent, measure: ['cpu'], freezer: true });
    const child = await sleeper(group.steps);
    expect(groupsOf(child.pid).filter((line) => line.startsWith('0::'))).toHaveLength(1);
    await until('its time is counted', () => (group.read().cpuMicroseconds ?? 0) > 0);
    await removeGroup(group.directories);
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
  });
});

describe('the directory of a unified group', () => {
  it('is a place for clone3 to make a process in', async (context) => {
    if (unified.hierarchies.length === 0) context.skip('no cgroup2 is mounted');
    const group = planGroup(groupName(), {}, { layout: unified, parent, freezer: true });
    if (!group.cgroup) throw new Error('it has no directory');
    const args = cloneArgs({ flags: CLONE_INTO_CGROUP, exit_signal: signals.SIGCHLD });
    const born = label('the new process');
    const into: Step = { call: 'add', args: [group.cgroup, 0], purpose: 'the group to be born in', into: args.field('cgroup') };
    const clone: Step = { call: 'clone3', args: [args, args.byteLength], purpose: 'a process in the group', jump: { when: '==', to: born } };
    const wait: Step = { call: 'wait4', args: [resultOf(clone), null, 0, null], purpose: 'wait for it' };
    const end: Step = { call: 'exit_group', args: [0], purpose: 'it has ended' };
    const { output } = await launched([...group.create, into, clone, wait, end, born, ...group.close, ...script('cat /proc/self/cgroup')]);
    expect(output).toContain(`0::${parent}/`);
    await removeGroup(group.directories);
  });

  it('has the controllers that those above pass on', async (context) => {
    const [hierarchy] = unified.hierarchies;
    const controller = hierarchy?.controllers[0];
    if (!hierarchy || controller === undefined) return context.skip('no cgroup2 with a controller is mounted');
    const control = `${hierarchy.mount}/cgroup.subtree_control`;
    const before = readFileSync(control, 'latin1').split(/\s+/);
    const directory = `${hierarchy.mount}${parent}/with`;
    const place = { version: 2 as const, controllers: [controller], base: hierarchy.mount, parents: [hierarchy.mount + parent], directory, enabled: false };
    perform(makeDirectory(place));
    try {
      expect(readFileSync(`${directory}/cgroup.controllers`, 'latin1')).toContain(controller);
      // They pass it on already now: only the group itself is new.
      await removeGroup([directory]);
      perform(makeDirectory({ ...place, enabled: true }));
      await removeGroup([directory]);
      // And once more where the one above is new again.
      rmdirSync(hierarchy.mount + parent);
      perform(makeDirectory({ ...place, enabled: true }));
      expect(readFileSync(`${directory}/cgroup.controllers`, 'latin1')).toContain(controller);
    } finally {
      await removeGroup([directory]);
      rmdirSync(hierarchy.mount + parent);
      if (!before.includes(controller)) writeFileSync(control, `-${controller}`);
    }
  });
});

describe('removeSteps', () => {
  it('waits for the last process of the group, and removes it', async () => {
    const group = plan({ pids: 5 });
    const child = await sleeper(group.steps);
    const removed = launched([...removeSteps(group), ...script('echo gone')]);
    // On version 1 the steps do not kill; on version 2 this comes after.
    child.kill('SIGKILL');
    await child.exited;
    expect((await removed).output).toBe('gone');
    expect(group.directories.filter(existsSync)).toEqual([]);
  });

  it('lets a frozen group go on, so that what was killed ends', async () => {
    const group = planGroup(groupName(), { pids: 5 }, { layout, parent, freezer: true });
    const child = await sleeper(group.steps);
    await groupAt(group.places).freeze();
    child.kill('SIGKILL');
    expect((await launched([...removeSteps(group), ...script('echo gone')])).output).toBe('gone');
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
    expect(group.directories.filter(existsSync)).toEqual([]);
  });

  it('is done at once where there is no such group', async () => {
    expect((await launched([...removeSteps(plan({ pids: 5 })), ...script('echo gone')])).output).toBe('gone');
  });

  it('compiles to a launcher that needs no Node', () => {
    const group = plan({ pids: 5 });
    expect(compile([...group.steps, ...removeSteps(group)]).length).toBeLessThan(6000);
  });
});
