// SIGKILL of the process that owns a container, before each step of the set-up and while it runs: the container dies with it, and the next start removes what is left.
import { describe, expect, it } from 'vitest';

import type { ContainerOptions } from '@ctr/runtime';

import { isWholeRun, record } from '../../../tools/fault-record.mjs';
import { sharedImage } from './image.js';
import { defaultGroups, watchForLeaks } from './leaks.js';
import { asNobody } from './nobody.js';
import { NodeProgram } from './node-program.js';
import type { Supervised } from './owner.js';

watchForLeaks();
const image = sharedImage();
const program = new NodeProgram(new URL('./owner.ts', import.meta.url));

// In a pid namespace of their own nobody else sees, or removes, what the owners leave.
const alone = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];

async function supervise(options: ContainerOptions, lists: readonly (readonly number[])[], by: readonly string[] = []): Promise<Supervised> {
  const { stdout, stderr } = await program.run(['supervise', JSON.stringify(options), JSON.stringify(lists)], { by: [...alone, ...by] });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Supervised;
}

/** How many containers an owner has when it is killed. */
const AT_ONCE = 25;

describe('an owner that is killed', () => {
  it.each<[what: string, options: () => ContainerOptions, by: readonly string[]]>([
    ['the default plan', () => ({}), []],
    ['the plan of an ordinary user', () => ({}), asNobody],
    ['with a root', () => ({ rootfs: image.path }), []],
  ])('before any step leaves no process, and no groups but its own, until the next start or gc: %s', { timeout: 120_000 }, async (what, options, by) => {
    const count = Number((await program.run(['count', JSON.stringify(options())], { by })).stdout);
    expect(count).toBeGreaterThan(200);
    const every = isWholeRun ? 1 : 7;
    const steps = Array.from({ length: Math.floor(count / every) }, (_, i) => i * every);
    const lists = Array.from({ length: Math.ceil(steps.length / AT_ONCE) }, (_, i) => steps.slice(i * AT_ONCE, (i + 1) * AT_ONCE));
    const { found, collected, again } = await supervise(options(), lists, by);
    const waiting = found.flatMap((one) => one.waiting).length;
    const running = found.flatMap((one) => one.running);
    record({
      plan: what,
      fault: 'SIGKILL of the host',
      points: steps.length,
      told: waiting,
      tolerated: 0,
      offTheWay: steps.length - waiting,
      leftBehind: running.length + again.length,
      collected: collected.length,
    });
    expect(running).toEqual([]);
    expect(found.filter(({ killed, older }) => !killed || older > 0)).toEqual([]);
    expect(again).toEqual([]);
    expect(waiting).toBeGreaterThan(steps.length * 0.6);
    // As root, all but those that were killed before there was a group have left one; the others have none.
    if (by.length > 0) expect([collected, found.map(({ own }) => own).filter(Boolean)]).toEqual([[], []]);
    else for (const one of found) expect(one.own).toBeGreaterThan(one.waiting.length - 5);
  });

  it.each([
    ['as it is by default', {}],
    ['below an init process', { init: true }],
    ["in the host's pid namespace", { namespaces: { pid: 'host' } }],
    ["below an init process in the host's pid namespace", { init: true, namespaces: { pid: 'host' } }],
    ['of another user', { user: { uid: 1000, gid: 1000 } }],
    ["of another user, below an init process in the host's pid namespace", { init: true, user: { uid: 1000, gid: 1000 }, namespaces: { pid: 'host' } }],
    ['in a user namespace', { namespaces: { user: 'new' } }],
    ['in a time namespace', { namespaces: { time: 'new' } }],
  ] satisfies [string, ContainerOptions][])('takes a running container with it: %s', async (what, options) => {
    const { found } = await supervise({ rootfs: image.path, ...options }, [[]]);
    const isShared = what.includes("host's pid namespace");
    expect(found.map(({ killed, own, older }) => ({ killed, own, older }))).toEqual([{ killed: true, own: defaultGroups, older: 0 }]);
    // Without a pid namespace of its own, only the program itself is tied to the host: what it has left is the group's to end.
    expect(found[0]?.running.filter((process) => !isShared || !/^\d+ sleep 1000/.test(process))).toEqual([]);
  });

  it('whose container has processes that live on loses them to the next start', async () => {
    const options = JSON.stringify({ rootfs: image.path, namespaces: { pid: 'host' } });
    const script = `"$@" supervise '${options}' '[[]]' keep && "$@" collect && "$@" collect && ps -o args | grep -c "^sleep [1]000"`;
    const { stdout } = await program.run([], { by: [...alone, 'sh', '-c', script, 'sh'] });
    const [found = '', removed = '', again, left] = stdout.trimEnd().split('\n');
    expect((JSON.parse(found) as Supervised).found[0]?.running).toEqual([expect.stringContaining('sleep 1000')]);
    expect(JSON.parse(removed)).toEqual(Array.from({ length: defaultGroups }, () => expect.stringContaining('/ctr/') as string));
    expect([again, left]).toEqual(['[]', '0']);
  });
});
