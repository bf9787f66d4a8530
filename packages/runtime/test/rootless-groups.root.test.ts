// Limits of an ordinary user's containers, in a control group that is delegated to the user.
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { hierarchyOf, readLayout } from '@ctr/cgroups';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { delegated } from '../src/own-groups.js';
import { sharedImage, temporary } from './image.js';
import { ended, NodeProgram } from './node-program.js';
import { watchForLeaks } from './leaks.js';

watchForLeaks();
const image = sharedImage();

const UID = 54_321;
const asUser = ['setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups'];

const program = new NodeProgram(`
  import { collectGarbage, groupName, planGroup, readLayout, removeGroup } from '@ctr/cgroups';
  import { ownGroups, plan, posture, run, start } from '@ctr/runtime';
  import { launch } from '@ctr/syscall';
  import { delegated } from '../src/own-groups.js';
  const [what = '', json = ''] = process.argv.slice(2);
  if (what === 'delegated') console.log(JSON.stringify(delegated(JSON.parse(json)).hierarchies[0]?.ownDirectory));
  else if (what === 'posture') console.log(posture(plan(['true'], JSON.parse(json))).find(({ item }) => item === 'limits')?.value);
  else if (what === 'v2') {
    const hierarchies = readLayout().hierarchies.filter(({ version }) => version === 2);
    const group = planGroup(groupName('v2'), {}, { layout: delegated({ mode: 'v2', hierarchies }), parent: 'ctr', measure: ['cpu'] });
    const child = await launch([...group.steps, { call: 'execve', args: ['/bin/busybox', ['sed', '-n', 's/^0:://p', '/proc/self/cgroup'], []], purpose: 'show' }]);
    await child.exited;
    await removeGroup(group.directories);
  }
  else if (what === 'gc') console.log(JSON.stringify(await collectGarbage(ownGroups())));
  else if (what === 'start') {
    await start(['sleep', '1000'], { stdio: 'ignore', ...JSON.parse(json) });
    console.log('runs');
  } else await run(['sh', '-c', what], JSON.parse(json)).then(({ stdout, stderr }) => console.log((stdout + stderr).trimEnd()), (error: Error) => console.log(error.name + ': ' + error.message));
`);

const pids = hierarchyOf(readLayout(), 'pids');
const isV1 = pids?.version === 1 && pids.ownDirectory !== undefined;

describe.skipIf(!isV1)('in an own subtree of v1 (skipped: there is no v1 hierarchy with pids)', () => {
  const own = join(pids?.ownDirectory ?? '', `ctr-rootless.${process.pid}`);
  const inside = ['sh', '-c', `echo $$ > ${own}/cgroup.procs && exec "$@"`, 'sh', ...asUser];
  const out = async (what: string, options: object = {}, by: readonly string[] = inside): Promise<string> => {
    const { stdout, stderr } = await program.run([what, JSON.stringify({ rootfs: image.path, ...options })], { by });
    expect(stderr).toBe('');
    return stdout.trimEnd();
  };

  beforeAll(() => {
    mkdirSync(own);
    for (const file of ['', 'cgroup.procs', 'tasks']) chownSync(join(own, file), UID, UID);
  });
  afterAll(() => {
    if (existsSync(join(own, 'ctr'))) rmdirSync(join(own, 'ctr'));
    rmdirSync(own);
  });

  it('a limit is there, also the default one, and nothing of it afterwards', async () => {
    expect(await out('for i in 1 2 3 4 5 6 7 8; do sleep 1 & done', { limits: { pids: 4 }, reject: false })).toMatch(
      /can't fork: Resource temporarily unavailable/,
    );
    expect(await out('sed -n s/^.*:pids://p /proc/self/cgroup', { namespaces: { cgroup: 'host' } })).toMatch(
      new RegExp(`/ctr-rootless\\.${process.pid}/ctr/\\d+\\.\\d+\\.\\w+$`),
    );
    expect(groupsBelow(own)).toEqual([]);
  });

  it('is told by the posture, as is that there is none', async () => {
    expect(await out('posture')).toBe('pids.max = 2048');
    expect(await out('posture', {}, asUser)).toBe('none: no control group is delegated to this user');
    expect(await out('posture', { cgroup: false })).toBe('none');
  });

  it('another controller is not delegated with it', async () => {
    expect(await out('true', { limits: { memoryBytes: 2 ** 26 } })).toMatch(
      /^CgroupError: \S+ cannot be written by uid 54321, so no memory group can be made in it: run as root, or in a group that is delegated to this user \(systemd-run/,
    );
  });

  it('what a killed owner leaves goes with the next one', async () => {
    const child = program.start(['start', JSON.stringify({ rootfs: image.path, name: 'left' })], { by: inside });
    await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
    const [left = ''] = groupsBelow(own);
    expect(left).toMatch(/^left\./);
    child.kill('SIGKILL');
    await ended(child);
    expect(JSON.parse(await out('gc'))).toEqual([join(own, 'ctr', left)]);
    expect(groupsBelow(own)).toEqual([]);
  });
});

const unified = readLayout().hierarchies.find(({ version }) => version === 2);

describe.skipIf(!unified?.ownDirectory)('in an own subtree of v2 (skipped: there is no hierarchy of version 2)', () => {
  const slice = join(unified?.ownDirectory ?? '', `ctr-rootless.${process.pid}`);

  beforeAll(() => {
    for (const directory of [slice, join(slice, 'shell.scope')]) {
      mkdirSync(directory);
      for (const file of ['', 'cgroup.procs', 'cgroup.subtree_control']) chownSync(join(directory, file), UID, UID);
    }
  });
  afterAll(() => {
    for (const name of ['ctr', 'shell.scope', '.']) if (existsSync(join(slice, name))) rmdirSync(join(slice, name === '.' ? '' : name));
  });

  it('a process goes from its group to one beside it', async () => {
    const by = ['sh', '-c', `echo $$ > ${slice}/shell.scope/cgroup.procs && exec "$@"`, 'sh', ...asUser];
    const { stdout, stderr } = await program.run(['v2'], { by });
    expect(stderr).toBe('');
    expect(stdout).toMatch(new RegExp(`/ctr-rootless\\.${process.pid}/ctr/v2\\.\\d+\\.\\w+\n$`));
  });
});

describe('on cgroup v2, of the groups above a process', () => {
  /** A tree as systemd makes it for a user, of plain directories: who is in each group, and whether it is the user's. */
  async function chosen(...groups: readonly (readonly [name: string, processes: string, isOwn: boolean])[]): Promise<string> {
    const mount = temporary();
    let directory = mount;
    for (const [name, processes, isOwn] of groups) {
      directory = join(directory, name);
      mkdirSync(directory);
      writeFileSync(join(directory, 'cgroup.procs'), processes);
      if (isOwn) for (const path of [directory, join(directory, 'cgroup.procs')]) chownSync(path, UID, UID);
    }
    const hierarchy = { version: 2, controllers: ['pids'], mount, ownPath: directory.slice(mount.length), ownDirectory: directory, readonly: false };
    const layout = JSON.stringify({ mode: 'v2', hierarchies: [hierarchy] });
    const { stdout } = await program.run(['delegated', layout], { by: ['sh', '-c', `chmod 755 ${mount} && exec "$@"`, 'sh', ...asUser] });
    return (JSON.parse(stdout) as string).slice(mount.length);
  }

  it('the nearest one is taken that is the user’s and has no process in it', async () => {
    const slice = ['user.slice', '', false] as const;
    const service = ['user@1.service', '', true] as const;
    expect(await chosen(slice, service, ['app.slice', '', true], ['shell.scope', '1\n', true])).toBe('/user.slice/user@1.service/app.slice');
    expect(await chosen(slice, service, ['init.scope', '1\n', true], ['deeper', '2\n', true])).toBe('/user.slice/user@1.service');
    expect(await chosen(slice, service, ['empty.scope', '', true])).toBe('/user.slice/user@1.service/empty.scope');
  });

  it('what is not shown, and what is of v1, stays as it is', () => {
    const hierarchies = [
      { version: 2, controllers: ['pids'], mount: '/sys/fs/cgroup', ownPath: '/../x', ownDirectory: undefined, readonly: false },
      { version: 1, controllers: ['memory'], mount: '/sys/fs/cgroup/memory', ownPath: '/x', ownDirectory: '/sys/fs/cgroup/memory/x', readonly: false },
    ] as const;
    expect(delegated({ mode: 'hybrid', hierarchies })).toEqual({ mode: 'hybrid', hierarchies });
  });

  it('or else its own', async () => {
    expect(await chosen(['user.slice', '', false], ['session.scope', '1\n', false])).toBe('/user.slice/session.scope');
    expect(await chosen(['user.slice', '', false], ['own.scope', '1\n', true])).toBe('/user.slice/own.scope');
  });
});

function groupsBelow(own: string): string[] {
  const parent = join(own, 'ctr');
  if (!existsSync(parent)) return [];
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && readFileSync(join(parent, entry.name, 'cgroup.procs'), 'latin1') !== undefined)
    .map(({ name }) => name);
}
