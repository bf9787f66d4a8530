// What runs in a container and looks into processes that are not its own: one that is on its way into it, its init, and those of the host.
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { privileged, run, type ContainerOptions, type RunOptions } from '@ctr/runtime';
import type { Namespace } from '@ctr/namespaces';
import { call, launch, openFd, openFlags, waitForHost } from '@ctr/syscall';

import { record, rounds } from '../../../../tools/race-record.mjs';
import { image, sharedImage } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { watchTheHost } from './host.js';

watchForLeaks();
watchTheHost();
const shared = sharedImage();

const STARTS = rounds(200);
/** Of those, how many it has to have looked at: otherwise it was too slow to prove anything. */
const ENOUGH = STARTS / 10;
const timeout = STARTS * 600;

const source = join(import.meta.dirname, '../../../../test/support/watcher.c');
const noWatcher =
  spawnSync('gcc', ['-static', '-x', 'c', '-o', '/dev/null', '-'], { input: 'int main(void) { return 0; }' }).status === 0
    ? undefined
    : 'gcc makes no static programs here';

/** Starts containers that join these namespaces of one that watches; what that has seen of their set-up. */
async function watched(
  kinds: readonly Namespace[],
  watcher: RunOptions,
  joiner: ContainerOptions = {},
): Promise<{ looked: number; opened: number; found: string }> {
  const rootfs = image();
  execFileSync('gcc', ['-O1', '-static', '-o', join(rootfs, 'watcher'), source]);
  const watching = run(['/watcher'], { rootfs, ...watcher });
  if (!watching.stdout) throw new Error('its output is no pipe');
  await once(watching.stdout, 'data');
  const { pid } = await watching.container;
  const namespaces = Object.fromEntries(kinds.map((kind) => [kind, { pid }]));
  for (let i = 0; i < STARTS; i++) await run(['true'], { rootfs: shared.path, namespaces, cgroup: false, ...joiner });
  writeFileSync(join(rootfs, 'stop'), '');
  const { stdout } = await watching;
  const count = (what: string): number => Number(new RegExp(`^${what} (\\d+)$`, 'm').exec(stdout)?.[1]);
  return { looked: count('looked'), opened: count('opened'), found: stdout };
}

function name(): string {
  return expect.getState().currentTestName?.replaceAll(' > ', ': ') ?? '';
}

describe('a process that joins a container', () => {
  const everything: RunOptions = { capabilities: { add: 'all' }, seccomp: 'unconfined', noNewPrivileges: false };

  it.for<[string, readonly Namespace[], RunOptions, ContainerOptions]>([
    ['root', ['pid'], {}, {}],
    ['root that may make every call', ['pid'], { seccomp: 'unconfined' }, {}],
    ['root of a user namespace', ['user', 'pid'], { namespaces: { user: 'new' } }, {}],
    ['root of a user namespace that may do everything there', ['user', 'pid'], { namespaces: { user: 'new' }, ...everything }, {}],
    ['the same, with an init', ['user', 'pid'], { namespaces: { user: 'new' }, ...everything }, { init: true }],
    ['the same, joined as another user', ['user', 'pid'], { namespaces: { user: 'new' }, ...everything }, { user: { uid: 1000, gid: 1000 } }],
  ])('cannot be looked into before it is the program: by %s', { timeout }, async ([, kinds, watcher, joiner], context) => {
    if (noWatcher !== undefined) context.skip(noWatcher);
    const { looked, opened, found } = await watched(kinds, watcher, joiner);
    expect(looked).toBeGreaterThan(ENOUGH);
    expect({ opened, found }).toEqual({ opened: 0, found: `ready\nlooked ${looked}\nopened 0\n` });
    record({ race: name(), rounds: STARTS, met: looked, gotThrough: opened });
  });

  it('is looked into by who may trace everything on the host: there is something to be kept from', { timeout }, async (context) => {
    if (noWatcher !== undefined) context.skip(noWatcher);
    const { looked, opened, found } = await watched(['pid'], privileged);
    expect(opened).toBeGreaterThan(0);
    expect(found).toContain('exe /memfd:ctr (deleted)');
    record({ race: name(), rounds: STARTS, met: looked, gotThrough: undefined });
  });
});

describe('an init', () => {
  it.each<[string, ContainerOptions]>([
    ['root', {}],
    ['another user', { user: { uid: 1000, gid: 1000 } }],
    ['root of a user namespace', { namespaces: { user: 'new' } }],
    ['one with more rights', { capabilities: { add: ['CAP_NET_RAW'] } }],
    ['one without any', { capabilities: { drop: 'all' } }],
  ])('has no more rights than the program: %s', async (_, options) => {
    const script = 'for pid in 1 self; do grep -E "^(Uid|Gid|Groups|Cap.*|NoNewPrivs|Seccomp):" /proc/$pid/status; echo --; done';
    const { stdout } = await run(['sh', '-c', script], { rootfs: shared.path, init: true, ...options });
    const [init, program] = stdout.split('--\n');
    expect(init).toBe(program);
    expect(init).toMatch(/^Seccomp:\t2$/m);
  });

  it('cannot be looked into', async () => {
    const files = ['fd/0', 'cwd', 'root', 'exe', 'environ', 'maps', 'auxv', 'mem'];
    const look = '{ readlink $file || head -c 1 $file; } >/dev/null 2>&1 && echo $pid $name';
    const script = `for name in ${files.join(' ')}; do for pid in 1 self; do file=/proc/$pid/$name; ${look}; done; done; true`;
    // There is nothing at address 0, of one's own memory either.
    const own = files.filter((name) => name !== 'mem').map((name) => `self ${name}`);
    for (const user of [{}, { user: { uid: 1000, gid: 1000 } }]) {
      const { stdout } = await run(['sh', '-c', script], { rootfs: shared.path, init: true, ...user });
      expect(stdout.trim().split('\n')).toEqual(own);
    }
  });
});

it('what goes into a container is sealed: nobody who gets hold of it can write it, nor unseal it', async () => {
  /** linux/fcntl.h */
  const F_GET_SEALS = 1034;
  const [F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE] = [1, 2, 4, 8];
  let seals = 0;
  const child = await launch([...waitForHost('look at this process')], {
    stdio: ['ignore', 'ignore', 'ignore'],
    onWaiting: (pid) => {
      using executable = openFd(`/proc/${pid}/exe`, { flags: openFlags.O_RDONLY });
      seals = call({ call: 'fcntl', args: [executable, F_GET_SEALS, 0], purpose: 'how is it sealed?' });
    },
  });
  await child.exited;
  const wanted = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  expect(seals & wanted).toBe(wanted);
});
