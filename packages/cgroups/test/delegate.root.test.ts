import { existsSync, readFileSync, statSync } from 'node:fs';

import type { Step } from '@ctr/syscall';
import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { createGroup, delegate, type CgroupLayout } from '@ctr/cgroups';

import { checkLeftovers, enter, launched, layout, parent, removeParent, script } from './launched.js';

const unified: CgroupLayout = { mode: 'v2', hierarchies: layout.hierarchies.filter(({ version }) => version === 2) };
const v1: CgroupLayout = { mode: 'v1', hierarchies: layout.hierarchies.filter(({ version }) => version === 1) };
const ID = 12_345;

afterEach(checkLeftovers);
afterAll(removeParent);

const becomeUser: Step[] = [
  { call: 'setgroups', args: [0, null], purpose: 'no other groups' },
  { call: 'setresgid', args: [ID, ID, ID], purpose: 'another group' },
  { call: 'setresuid', args: [ID, ID, ID], purpose: 'another user' },
];

describe.skipIf(unified.hierarchies.length === 0)('a group that is given to another user (needs cgroup v2, mounted)', () => {
  it('lets them make groups below it and move processes there, but not change its limits, nor leave', async () => {
    await using group = await createGroup(`${parent}/given`, {}, { layout: unified });
    const [directory = ''] = group.directories;
    delegate(group, { uid: ID, gid: ID });
    const listed = readFileSync('/sys/kernel/cgroup/delegate', 'latin1')
      .split('\n')
      .filter((file) => existsSync(`${directory}/${file}`) && file !== '');
    expect(listed).toEqual(expect.arrayContaining(['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads']));
    for (const file of [...listed, '.']) expect(statSync(`${directory}/${file}`)).toMatchObject({ uid: ID, gid: ID });
    for (const file of ['cgroup.max.depth', 'cgroup.freeze']) expect(statSync(`${directory}/${file}`).uid).toBe(0);
    const program = [
      `mkdir ${directory}/job`,
      `echo $$ > ${directory}/job/cgroup.procs`,
      'cat /proc/self/cgroup | grep ^0:',
      `echo 5 > ${directory}/cgroup.max.depth || echo its limits stay`,
      `echo $$ > ${directory}/../cgroup.procs || echo it cannot leave`,
    ].join('\n');
    const { output } = await launched([...enter(directory), ...becomeUser, ...script(program)]);
    expect(output).toContain(`0::${directory.slice(unified.hierarchies[0]?.mount.length)}/job\n`);
    expect(output).toContain('its limits stay');
    expect(output).toContain('it cannot leave');
  });

  it('keeps its owner where one cannot be', async () => {
    await using group = await createGroup(`${parent}/owned`, {}, { layout: unified });
    for (const uid of [-1, 1.5, 2 ** 32, Number.NaN]) expect(() => delegate(group, { uid, gid: 0 })).toThrow(RangeError);
    expect(() => delegate(group, { uid: 0, gid: 0, mode: 7 } as never)).toThrow(TypeError);
    expect(statSync(group.directories[0] ?? '').uid).toBe(0);
  });
});

describe.skipIf(v1.hierarchies.length === 0)('a group of version 1 (needs one that is mounted)', () => {
  it('is given to nobody', async () => {
    await using group = await createGroup(`${parent}/legacy`, { pids: 5 }, { layout: v1 });
    expect(() => delegate(group, { uid: ID, gid: ID })).toThrow(expect.objectContaining({ name: 'CgroupError', kind: 'not-delegated' }));
    for (const directory of group.directories) expect(statSync(directory).uid).toBe(0);
  });
});
