// SIGKILL of the process that owns a container, before each step of the set-up and while it runs: the container dies with it, and the next start removes what is left.
import { describe, expect, it } from 'vitest';

import type { ContainerOptions } from '@ctr/runtime';

import { sharedImage } from './image.js';
import { watchForLeaks } from './leaks.js';
import { NodeProgram } from './node-program.js';
import type { Found } from './owner.js';

watchForLeaks();
const image = sharedImage();
const program = new NodeProgram(new URL('./owner.ts', import.meta.url));

// In a pid namespace of their own nobody else sees, or removes, what the owners leave.
const alone = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];

async function supervise(options: ContainerOptions, from: number, to: number): Promise<Found[]> {
  const { stdout, stderr } = await program.run(['supervise', JSON.stringify(options), String(from), String(to)], { by: alone });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Found[];
}

describe('an owner that is killed', () => {
  it('before any step leaves no process, and no group but its own, until the next start', { timeout: 120_000 }, async () => {
    const options = { rootfs: image.path };
    const count = Number((await program.run(['count', JSON.stringify(options)])).stdout);
    expect(count).toBeGreaterThan(90);
    // Two at a time, each half in a namespace of its own.
    const half = Math.ceil(count / 2);
    const found = (await Promise.all([supervise(options, 0, half), supervise(options, half, count)])).flat();
    expect(found.length).toBe(count);
    expect(found.filter(({ older }) => older > 0)).toEqual([]);
    expect(found.flatMap(({ running }) => running)).toEqual([]);
    expect(found.filter(({ killed }) => !killed)).toEqual([]);
    // But for those that were killed before there was a group.
    expect(found.filter(({ own }) => own > 0).length).toBeGreaterThan(count - 5);
    expect(found.filter(({ own }) => own > 1)).toEqual([]);
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
    const found = await supervise({ rootfs: image.path, ...options }, -1, 0);
    const isShared = what.includes("host's pid namespace");
    expect(found.map(({ killed, own, older }) => ({ killed, own, older }))).toEqual([{ killed: true, own: 1, older: 0 }]);
    // Without a pid namespace of its own, only the program itself is tied to the host: what it has left is the group's to end.
    expect(found[0]?.running.filter((process) => !isShared || !/^\d+ sleep 1000/.test(process))).toEqual([]);
  });

  it('whose container has processes that live on loses them to the next start', async () => {
    const options = JSON.stringify({ rootfs: image.path, namespaces: { pid: 'host' } });
    const script = `"$@" supervise '${options}' -1 0 keep && "$@" collect && "$@" collect && ps -o args | grep -c "^sleep [1]000"`;
    const { stdout } = await program.run([], { by: [...alone, 'sh', '-c', script, 'sh'] });
    const [found = '', removed = '', again, left] = stdout.trimEnd().split('\n');
    expect((JSON.parse(found) as Found[])[0]?.running).toEqual([expect.stringContaining('sleep 1000')]);
    expect(JSON.parse(removed)).toEqual([expect.stringContaining('/ctr/')]);
    expect([again, left]).toEqual(['[]', '0']);
  });
});
