import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { planGroup, readLayout, type Place } from '@ctr/cgroups';
import { create, defaultConfig, kill, remove, start } from '@ctr/oci';
import { call, perform } from '@ctr/syscall';
import { describe, expect, it, onTestFinished } from 'vitest';

import { bundleOf, configOf, created, newId, place, ran } from './container.js';
import { run, command } from './ctr-oci.js';

const at = place();
const sleeper = ['sleep', '1000'];
const { hierarchies, mode } = readLayout();
const pids = hierarchies.find(({ controllers }) => controllers.includes('pids'));
if (!pids) throw new Error('there is no pids controller here');

let count = 0;

/** Makes the group of a container beforehand, in some hierarchies: its path, and its directories. */
function premade(which = hierarchies): { readonly path: string; readonly directories: readonly string[] } {
  const path = `${at.cgroup}/premade${++count}`;
  const directories = which.map(({ mount }) => mount + path);
  if (mode === 'v2') {
    // The groups above pass the controller on: a plan without limits that are kept sees to that, and its directory bears no mark.
    const { create: make, close } = planGroup(`premade${count}`, { pids: 'max' }, { parent: at.cgroup });
    perform([...make, ...close]);
  } else for (const directory of directories) mkdirSync(directory, { recursive: true });
  onTestFinished(() => {
    for (const { mount } of hierarchies) if (existsSync(mount + path)) rmdirSync(mount + path);
  });
  return { path, directories };
}

const inodes = (directories: readonly string[]): bigint[] => directories.map((directory) => statSync(directory, { bigint: true }).ino);
const stateOf = (id: string) => JSON.parse(readFileSync(join(at.root, id, 'state.json'), 'utf8')) as { places: (Place & { inode: string })[] };

describe('a group that is there', () => {
  it('is used as it is: what is set on it stays, what the configuration limits is set, and it is there after the container', async () => {
    const { path, directories } = premade();
    writeFileSync(`${pids.mount}${path}/pids.max`, '77');
    const before = inodes(directories);
    const { id, child, root } = await created(at, sleeper, { linux: { cgroupsPath: path } });
    await start(id, root);
    expect(readFileSync(`${pids.mount}${path}/pids.max`, 'utf8')).toBe('77\n');
    expect(readFileSync(`${pids.mount}${path}/cgroup.procs`, 'utf8')).toBe(`${child.pid}\n`);
    kill(id, 'SIGKILL', root);
    await child.exited;
    await remove(id, root);
    expect(inodes(directories)).toEqual(before);
    expect(readFileSync(`${pids.mount}${path}/pids.max`, 'utf8')).toBe('77\n');
    // Runs of the same path one after the other.
    expect((await ran(at, ['true'], { linux: { cgroupsPath: path, resources: { pids: { limit: 33 } } } })).exit.code).toBe(0);
    expect(readFileSync(`${pids.mount}${path}/pids.max`, 'utf8')).toBe('33\n');
    expect(inodes(directories)).toEqual(before);
  });

  it('in some of the hierarchies is made in the others, which are removed with the container', async () => {
    const { path, directories } = premade([pids]);
    const { id, root } = await created(at, sleeper, { linux: { cgroupsPath: path } });
    await start(id, root);
    expect(hierarchies.filter(({ mount }) => !existsSync(mount + path))).toEqual([]);
    await remove(id, { ...root, force: true });
    expect(hierarchies.map(({ mount }) => mount + path).filter((directory) => existsSync(directory))).toEqual(directories);
  });

  it('stays, and so does what is set on it, when the container cannot be created', async () => {
    const { path, directories } = premade();
    writeFileSync(`${pids.mount}${path}/pids.max`, '77');
    const before = inodes(directories);
    for (const changes of [{ process: { args: ['no-such-program'] } }, { hooks: { createRuntime: [{ path: '/bin/false' }] } }]) {
      const bundle = bundleOf(at, configOf(at, sleeper, { ...changes, linux: { cgroupsPath: path } }));
      await expect(create(bundle, newId(), { root: at.root, stdio: ['ignore', 'ignore', 'ignore'] })).rejects.toThrow(/no-such-program|createRuntime/);
    }
    expect(inodes(directories)).toEqual(before);
    expect(readFileSync(`${pids.mount}${path}/pids.max`, 'utf8')).toBe('77\n');
  });

  it('takes limits in an order that the limits which stand there allow', async () => {
    const { path } = premade();
    const memory = hierarchies.find(({ version, controllers }) => version === 1 && controllers.includes('memory'));
    if (!memory || !existsSync(`${memory.mount}${path}/memory.memsw.limit_in_bytes`)) return;
    writeFileSync(`${memory.mount}${path}/memory.limit_in_bytes`, '64M');
    writeFileSync(`${memory.mount}${path}/memory.memsw.limit_in_bytes`, '64M');
    await created(at, sleeper, { linux: { cgroupsPath: path, resources: { memory: { limit: 2 ** 27, swap: 2 ** 27 } } } });
    expect(readFileSync(`${memory.mount}${path}/memory.limit_in_bytes`, 'utf8')).toBe(`${2 ** 27}\n`);
  });

  it('that somebody is in is refused, and nobody in it is killed', async () => {
    const path = `${at.cgroup}/taken${++count}`;
    const first = await created(at, sleeper, { linux: { cgroupsPath: path } });
    const creating = create(bundleOf(at, configOf(at, sleeper, { linux: { cgroupsPath: path } })), newId(), first.root);
    await expect(creating).rejects.toThrow("container's cgroup is not empty: 1 process(es) found");
    await start(first.id, first.root);
  });

  it('of a container whose state is gone is known by its mark, and made anew: its limits are not those of the next one', async () => {
    const path = `${at.cgroup}/left${++count}`;
    const { id, child, root } = await created(at, sleeper, { linux: { cgroupsPath: path, resources: { pids: { limit: 5 } } } });
    const [before] = inodes([pids.mount + path]);
    child.kill('SIGKILL');
    await child.exited;
    // Somebody has taken the state away.
    execFileSync('rm', ['-r', join(at.root, id)]);
    const next = await created(at, sleeper, { linux: { cgroupsPath: path } });
    expect(inodes([pids.mount + path])).not.toEqual([before]);
    expect(readFileSync(`${pids.mount}${path}/pids.max`, 'utf8')).toBe('max\n');
    await remove(next.id, root);
    expect(existsSync(pids.mount + path)).toBe(false);
  });

  it('without the mark is nobody’s leftover, however empty it is', async () => {
    const path = `${at.cgroup}/unmarked${++count}`;
    const { id, child } = await created(at, sleeper, { linux: { cgroupsPath: path, resources: { pids: { limit: 5 } } } });
    child.kill('SIGKILL');
    await child.exited;
    for (const { directory } of stateOf(id).places) {
      call({ call: 'removexattr', args: [directory, 'trusted.ctr-oci'], purpose: 'take the mark away' });
    }
    const next = await created(at, sleeper, { linux: { cgroupsPath: path } });
    expect(readFileSync(`${pids.mount}${path}/pids.max`, 'utf8')).toBe('5\n');
    await remove(next.id, { root: at.root });
    await remove(id, { root: at.root });
  });

  it('of a container that was taken over by the next one of its path is not removed with the first', async () => {
    const path = `${at.cgroup}/over${++count}`;
    const first = await created(at, sleeper, { linux: { cgroupsPath: path } });
    first.child.kill('SIGKILL');
    await first.child.exited;
    const second = await created(at, sleeper, { linux: { cgroupsPath: path } });
    await remove(first.id, first.root);
    await start(second.id, second.root);
    expect(readFileSync(`${pids.mount}${path}/cgroup.procs`, 'utf8')).toBe(`${second.child.pid}\n`);
  });
});

describe('an ordinary user', () => {
  const user = { uid: 1000, gid: 1000 };

  /** Runs `ctr-oci run` as that user, with the group that their configuration names. */
  async function runAs(path: string, limit: number | undefined): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
    const home = mkdtempSync(join(at.directory, 'home-'));
    const usual = defaultConfig({ rootless: true });
    const ids = { containerID: 0, hostID: user.uid, size: 1 };
    const config = {
      ...usual,
      root: { path: at.rootfs, readonly: true },
      process: { cwd: '/', ...usual.process, terminal: false, args: ['cat', '/proc/self/cgroup'] },
      linux: {
        ...usual.linux,
        cgroupsPath: path,
        uidMappings: [ids],
        gidMappings: [ids],
        namespaces: usual.linux?.namespaces?.filter(({ type }) => type !== 'cgroup'),
        ...(limit !== undefined && { resources: { pids: { limit } } }),
      },
    };
    writeFileSync(join(home, 'config.json'), JSON.stringify(config));
    chownSync(home, user.uid, user.gid);
    chmodSync(home, 0o755);
    const as = ['setpriv', '--reuid', '1000', '--regid', '1000', '--clear-groups'];
    return run([...as, ...command, 'run', '--bundle', home, newId()], { env: { HOME: home, XDG_RUNTIME_DIR: home } });
  }

  it('has the groups that were made for them, with the limits of the configuration', async () => {
    if (mode === 'v2') return;
    const { path, directories } = premade();
    for (const directory of directories) for (const name of ['', ...readdirSync(directory)]) chownSync(join(directory, name), user.uid, user.gid);
    const { code, stdout, stderr } = await runAs(path, 33);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`:pids:${path}\n`);
    expect(readFileSync(`${pids.mount}${path}/pids.max`, 'utf8')).toBe('33\n');
  });

  it('has no limits where no group was made for them', async () => {
    const path = `${at.cgroup}/none${++count}`;
    expect((await runAs(path, undefined)).code).toBe(0);
    expect((await runAs(path, 33)).stderr).toContain('cannot be written by uid 1000');
  });
});
