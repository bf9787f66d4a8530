// Mounts whose owners are shown by the ids of the container.
import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { plan, run, type ContainerOptions } from '@ctr/runtime';
import { beforeAll, describe, expect, it } from 'vitest';

import { sharedImage, temporary } from './image.js';
import { watchForLeaks } from './leaks.js';
import { lines } from './plan-text.js';

watchForLeaks();
const image = sharedImage();

// The root of a user namespace cannot make them in a directory of the host's root.
beforeAll(() => {
  for (const name of ['d', 'plain', 'mnt']) mkdirSync(join(image.path, name));
  writeFileSync(join(image.path, 'f'), '');
});

const inNew: ContainerOptions = { namespaces: { user: 'new' } };

/** A directory with a file of root's and one of uid 1000 in it. */
function directory(): string {
  const path = temporary();
  chmodSync(path, 0o755);
  for (const [name, id] of [
    ['of-root', 0],
    ['of-1000', 1000],
  ] as const) {
    // oxfmt-ignore
    writeFileSync(join(path, name), name);
    chownSync(join(path, name), id, id);
  }
  return path;
}

async function sh(script: string, options: ContainerOptions): Promise<string> {
  const { stdout, stderr } = await run(['sh', '-c', script], { rootfs: image.path, ...inNew, ...options, reject: false });
  return stdout + stderr;
}

describe('an id-mapped bind mount', () => {
  it('shows the owners as the host has them, and writes as they are', async () => {
    const path = directory();
    const script = 'stat -c "%u:%g %n" /d/*; touch /d/new && chown 7:8 /d/new; touch /d/mine';
    expect(await sh(script, { mounts: [{ bind: path, to: '/d', idMap: true }] })).toBe('1000:1000 /d/of-1000\n0:0 /d/of-root\n');
    const [given, made] = ['new', 'mine'].map((name) => statSync(join(path, name)));
    expect([given?.uid, given?.gid, made?.uid, made?.gid]).toEqual([7, 8, 0, 0]);
  });

  it('without the map they are nobody’s, and nothing can be written', async () => {
    expect(await sh('stat -c "%u:%g %n" /d/*; touch /d/new', { mounts: [{ bind: directory(), to: '/d' }] })).toBe(
      '65534:65534 /d/of-1000\n65534:65534 /d/of-root\ntouch: /d/new: Permission denied\n',
    );
  });

  it('can be a file, read-only, more than one, for another user', async () => {
    const path = directory();
    mkdirSync(join(path, 'sub'));
    const mounts = [
      { bind: join(path, 'of-1000'), to: '/f', idMap: true, readonly: true },
      { bind: path, to: '/d', idMap: true },
      { bind: path, to: '/plain' },
    ];
    expect(await sh('stat -c "%u %n" /f /d/sub /plain/sub; (echo x > /f) 2>&1; cat /d/of-1000; id -u', { mounts, user: { uid: 1000, gid: 1000 } })).toBe(
      "1000 /f\n0 /d/sub\n65534 /plain/sub\nsh: can't create /f: Read-only file system\nof-10001000\n",
    );
  });

  it('has no set-user-id programs and no devices in it', async () => {
    expect(await sh('grep " /d " /proc/self/mountinfo | cut -d" " -f6', { mounts: [{ bind: directory(), to: '/d', idMap: true, readonly: true }] })).toMatch(
      /^ro,nosuid,nodev,.*idmapped/,
    );
  });

  it('is made before the user namespace, and attached in it', () => {
    const text = lines(plan(['true'], { rootfs: image.path, ...inNew, mounts: [{ bind: '/etc', to: '/mnt', idMap: true }], cgroup: false }));
    const at = (word: RegExp): number => text.findIndex((line) => word.test(line));
    expect(at(/^open_tree\(AT_FDCWD, "\/etc"/)).toBe(0);
    expect(at(/unshare\(CLONE_NEWUSER\)/)).toBeGreaterThan(at(/^dup3\(/));
    expect(at(/^move_mount\(\$mapped-0, /)).toBeGreaterThan(at(/CLONE_NEWNS/));
  });

  it.each([
    ['without a user namespace', { namespaces: {} }, '/etc', 'TypeError: the mount at "/mnt": idMap needs a new user namespace, by whose ids owners are shown'],
    ['what cannot be mapped', inNew, '/proc', /mount_setattr\(.* = EINVAL .*\nhint: the type of file system cannot be id-mapped on this kernel/],
  ] as const)('%s: says so', async (_, options, bind, message) => {
    const running = (async () => run(['true'], { rootfs: image.path, ...options, mounts: [{ bind, to: '/mnt', idMap: true }] }))();
    const error = await running.then(
      () => 'it ran',
      (reason: unknown) => String(reason),
    );
    if (typeof message === 'string') expect(error).toBe(message);
    else expect(error).toMatch(message);
  });
});

describe('options that cannot be', () => {
  it.each([
    [{ mounts: [{ bind: '/', to: '/mnt', idMap: 'yes' }] }, 'TypeError: a bind mount: idMap is "yes": true or false'],
    [{ ids: 'all' }, "TypeError: ids is \"all\": 'own' or 'granted'"],
    [{ ids: 'own' }, "TypeError: ids 'own' need a new user namespace: in any other, there are the ids it has"],
  ])('%j', (options, message) => {
    let error: unknown;
    try {
      plan(['true'], options as ContainerOptions);
    } catch (thrown) {
      error = thrown;
    }
    expect(String(error)).toBe(message);
  });
});
