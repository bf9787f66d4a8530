import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { readLayout } from '@ctr/cgroups';
import { create, exec, kill, OciError, remove, resume, start, state } from '@ctr/oci';
import { describe, expect, it, onTestFinished } from 'vitest';

import { bundleOf, configOf, created, newId, place } from './container.js';

const at = place();
const sleeper = ['sleep', '1000'];
const { hierarchies } = readLayout();

interface Freezer {
  readonly version: 1 | 2;
  readonly mount: string;
}

/** Each way in which processes can be frozen here. */
const freezers = hierarchies
  .filter(({ version, controllers }) => version === 2 || controllers.includes('freezer'))
  .map(({ version, mount }): Freezer => ({ version, mount }));

function write({ version }: Freezer, directory: string, frozen: boolean): void {
  if (version === 1) writeFileSync(`${directory}/freezer.state`, frozen ? 'FROZEN' : 'THAWED');
  else writeFileSync(`${directory}/cgroup.freeze`, frozen ? '1' : '0');
}

/** A group that is frozen until the test is over. */
function frozen(freezer: Freezer, directory: string): void {
  mkdirSync(directory, { recursive: true });
  write(freezer, directory, true);
  onTestFinished(() => {
    if (existsSync(directory)) write(freezer, directory, false);
  });
}

let count = 0;

/** A path for the group of a container, below one that nothing else is in. */
function ownPath(): string {
  const path = `${at.cgroup}/frozen${++count}`;
  onTestFinished(() => {
    for (const { mount } of hierarchies) if (existsSync(mount + path)) rmdirSync(mount + path);
  });
  return `${path}/c`;
}

/** Freezes a process in a group below its own, as a container that manages groups can: the group. */
function freezeBelow(freezer: (typeof freezers)[number], pid: number): string {
  const own = new RegExp(freezer.version === 2 ? '^0::(.*)$' : '^\\d+:freezer:(.*)$', 'm');
  const [, path = ''] = own.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? [];
  const below = `${freezer.mount}${path}/below`;
  mkdirSync(below);
  writeFileSync(`${below}/cgroup.procs`, String(pid));
  write(freezer, below, true);
  return below;
}

describe.each(freezers)('with the freezer of version $version', (freezer) => {
  it('a container ends by force that has a group frozen below its own', async () => {
    const { id, child, root } = await created(at, sleeper, { linux: { cgroupsPath: ownPath() } });
    await start(id, root);
    const below = freezeBelow(freezer, child.pid);
    const begin = performance.now();
    await remove(id, { ...root, force: true });
    expect(performance.now() - begin).toBeLessThan(2000);
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
    expect(existsSync(dirname(below))).toBe(false);
  });

  it('SIGKILL ends a container that has a group frozen below its own', async () => {
    const { id, child, root } = await created(at, sleeper, { linux: { cgroupsPath: ownPath() } });
    await start(id, root);
    freezeBelow(freezer, child.pid);
    kill(id, 'SIGKILL', root);
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
  });

  it('a container is not created in a group that is frozen, or below one: the error names it, and it stays frozen', async () => {
    const path = ownPath();
    const above = dirname(freezer.mount + path);
    frozen(freezer, above);
    const creating = create(bundleOf(at, configOf(at, sleeper, { linux: { cgroupsPath: path } })), newId(), { root: at.root });
    await expect(creating).rejects.toThrow(`container's cgroup unexpectedly frozen: the cgroup ${freezer.mount}${path} is frozen by ${above}`);
    expect(readFileSync(`${above}/${freezer.version === 1 ? 'freezer.state' : 'cgroup.freeze'}`, 'utf8').trim()).toBe(freezer.version === 1 ? 'FROZEN' : '1');
    // The control: what is thawed takes it.
    write(freezer, above, false);
    const { id, root } = await created(at, sleeper, { linux: { cgroupsPath: path } });
    expect(state(id, root).status).toBe('created');
  });

  it('a container below a group that is frozen is paused, and cannot be resumed: the error names the group', async () => {
    const path = ownPath();
    const above = dirname(freezer.mount + path);
    const { id, root } = await created(at, sleeper, { linux: { cgroupsPath: path } });
    await start(id, root);
    frozen(freezer, above);
    expect(state(id, root).status).toBe('paused');
    await expect(exec(id, (own) => ({ ...own, args: ['true'] }), root)).rejects.toThrow('cannot exec in a paused container');
    await expect(start(id, root)).rejects.toThrow('cannot start a container in the paused state');
    const begin = performance.now();
    await expect(resume(id, root)).rejects.toThrow(`is frozen by ${above}: thaw that one first`);
    expect(performance.now() - begin).toBeLessThan(2000);
    write(freezer, above, false);
    expect(state(id, root).status).toBe('running');
  });

  it('no further process is put into a group below that is frozen', async () => {
    const { id, root } = await created(at, sleeper, { linux: { cgroupsPath: ownPath() } });
    await start(id, root);
    const own = JSON.parse(readFileSync(`${at.root}/${id}/state.json`, 'utf8')) as { places: { directory: string }[] };
    for (const { directory } of own.places) mkdirSync(`${directory}/below`);
    const below = own.places.map(({ directory }) => `${directory}/below`).find((directory) => directory.startsWith(`${freezer.mount}/`)) ?? '';
    write(freezer, below, true);
    const entering = exec(id, (process) => ({ ...process, args: ['true'] }), { ...root, cgroup: 'below' });
    await expect(entering).rejects.toThrow(new OciError('paused', `cannot exec in a paused container: ${below} is frozen (use --ignore-paused to override)`));
  });
});

describe.runIf(freezers.some(({ version }) => version === 1))('with the freezer of version 1', () => {
  it('to end a container below a group that is frozen fails at once, by the name of that, and works once it is thawed', async () => {
    const freezer = freezers.find(({ version }) => version === 1) as Freezer;
    const path = ownPath();
    const above = dirname(freezer.mount + path);
    const { id, child, root } = await created(at, sleeper, { linux: { cgroupsPath: path } });
    await start(id, root);
    frozen(freezer, above);
    const begin = performance.now();
    await expect(remove(id, { ...root, force: true })).rejects.toThrow(`${freezer.mount}${path} is frozen by ${above}: its processes were sent SIGKILL`);
    expect(performance.now() - begin).toBeLessThan(2000);
    write(freezer, above, false);
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
    await remove(id, { ...root, force: true });
  });
});
