// Several containers that are created at once with one `cgroupsPath`: one has the group, and the others leave it alone.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Place } from '@ctr/cgroups';
import { create, remove, state } from '@ctr/oci';
import { SyscallError, type Plan } from '@ctr/syscall';
import { expect, it, onTestFinished } from 'vitest';

import { madeBefore } from '../src/plan/cgroup.js';
import { bundleOf, cgroupsBelow, configOf, newId, place } from './container.js';

const at = place();
const quiet = { stdio: ['ignore', 'ignore', 'ignore'] } as const;
const ROUNDS = 8;

it('the containers that do not get the group neither remove it nor kill the one that has it', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const config = configOf(at, ['sleep', '1000']);
    const ids = [newId(), newId(), newId()];
    onTestFinished(async () => {
      for (const id of ids) await remove(id, { root: at.root, force: true });
    });
    const ends = await Promise.allSettled(ids.map((id) => create(bundleOf(at, config), id, { root: at.root, ...quiet })));
    for (const [i, end] of ends.entries()) {
      if (end.status === 'fulfilled') expect(state(ids[i] ?? '', { root: at.root }).status).toBe('created');
      else expect((end.reason as Error).message).toMatch(/EEXIST|ENOENT|is there already, and in use/);
    }
    const created = ids.filter((_, i) => ends[i]?.status === 'fulfilled');
    expect(created.length).toBeLessThanOrEqual(1);
    for (const id of created) await remove(id, { root: at.root, force: true });
    expect(cgroupsBelow(at.cgroup)).toEqual([]);
  }
});

it('a container that fails for another reason leaves nothing of its group', async () => {
  const bundle = bundleOf(at, configOf(at, ['no-such-program']));
  await expect(create(bundle, newId(), { root: at.root, ...quiet })).rejects.toThrow('no-such-program');
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(configOf(at, ['true'], { hooks: { createRuntime: [{ path: '/bin/false' }] } })));
  await expect(create(bundle, newId(), { root: at.root, ...quiet })).rejects.toThrow('createRuntime hook #0');
  expect(cgroupsBelow(at.cgroup)).toEqual([]);
});

it('the directories of a group that a plan has made are those before the step that failed', () => {
  const directories = ['/a/group', '/b/group'];
  const plan: Plan = directories.map((directory) => ({ call: 'mkdirat', args: [-100, directory, 0o755], purpose: 'a group' }));
  const at = (step?: number): Error =>
    new SyscallError({ call: 'mkdirat', line: '', errno: 17, purpose: 'a group', ...(step !== undefined && { step, of: 2 }) });
  const places = directories.map((directory): Place => ({ version: 1, controllers: [], base: '/', parents: [], directory, enabled: true }));
  const made = (error: Error, existing = false): string[] => madeBefore(error, plan, { places: places.map((each) => ({ ...each, existing })) });
  expect([at(0), at(1), at(2), at(), new Error('a hook')].map((error) => made(error))).toEqual([[], ['/a/group'], directories, directories, directories]);
  expect(made(new Error('a hook'), true)).toEqual([]);
});
