// The null device of the host as a standard stream: what the container does to its streams must not be done to the host's file.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { exec, start, type Config, type CreateOptions } from '@ctr/oci';
import { openFd, openFlags } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { created, Output, place, ran, type Changes } from './container.js';

const at = place();
/** The mode that the host's file has: even where the call succeeds, nothing changes there. */
const mode = (statSync('/dev/null').mode & 0o7777).toString(8);
const hostDevice = statSync('/dev/null').dev;
/** What a shell says of its standard input: the device of the file system that it is on, and whether its mode could be set. */
const look = `stat -L -c '%t:%T' /proc/self/fd/0; stat -L -c %d /proc/self/fd/0; chmod ${mode} /proc/self/fd/0 2>&1`;
const ro = /Read-only file system/;

/** An image with something of its own at /dev, and no file system there. */
function image(make: (dev: string) => void): Changes {
  const rootfs = mkdtempSync(join(at.directory, 'image-'));
  cpSync(at.rootfs, rootfs, { recursive: true, verbatimSymlinks: true });
  chmodSync(rootfs, 0o755);
  make(join(rootfs, 'dev'));
  return { root: { path: rootfs }, mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }] };
}

async function said(changes: Changes, by: 'ignore' | 'host', rest: CreateOptions = {}): Promise<string[]> {
  const output = new Output();
  using file = openFd('/dev/null', { flags: openFlags.O_RDWR });
  const { exit } = await ran(at, ['sh', '-c', look], changes, { stdio: [by === 'host' ? file : 'ignore', output.fd, output.fd], ...rest });
  expect(exit.code === 0 || ro.test(output.text)).toBe(true);
  return output.text.trim().split('\n');
}

describe('the null device of the host as a standard stream', () => {
  it.each(['ignore', 'host'] as const)('is that of the container: %s', async (by) => {
    const [type, device, ...refused] = await said({}, by);
    expect({ type, isHost: device === String(hostDevice), refused }).toEqual({ type: '1:3', isHost: false, refused: [] });
  });

  it('is that of the container in a further process', async () => {
    const { id, child, root } = await created(at, ['sleep', '1000']);
    await start(id, root);
    const output = new Output();
    const further = await exec(id, (own) => ({ ...own, args: ['sh', '-c', look] }), { ...root, stdio: ['ignore', output.fd, output.fd] });
    expect(await further.exited).toMatchObject({ code: 0 });
    const [type, device] = output.text.trim().split('\n');
    expect({ type, isHost: device === String(hostDevice) }).toEqual({ type: '1:3', isHost: false });
    child.kill('SIGKILL');
  });

  it.each<[string, (dev: string) => void]>([
    ['is missing', (dev) => rmSync(join(dev, 'null'))],
    ['is a file', (dev) => (rmSync(join(dev, 'null')), writeFileSync(join(dev, 'null'), 'secret'))],
    ['is another device', (dev) => (rmSync(join(dev, 'null')), void execFileSync('mknod', [join(dev, 'null'), 'c', '1', '5']))],
    ['is a directory', (dev) => (rmSync(join(dev, 'null')), mkdirSync(join(dev, 'null')))],
    ['is a link to the null device', (dev) => (execFileSync('mv', [join(dev, 'null'), join(dev, 'real')]), symlinkSync('real', join(dev, 'null')))],
    ['is a link to a file', (dev) => (rmSync(join(dev, 'null')), symlinkSync('/etc/passwd', join(dev, 'null')))],
  ])('is one whose mode stays, where that of the container %s', async (_, change) => {
    // A bind of /dev keeps what the image has there: no devices are made in it.
    const changes = image((dev) => {
      execFileSync('mknod', [join(dev, 'null'), 'c', '1', '3']);
      change(dev);
    });
    const bound: Config['mounts'] = [
      ...(changes.mounts ?? []),
      { destination: '/dev', source: join(changes.root?.path ?? '', 'dev'), options: ['bind', 'dev'] },
    ];
    const [type, device, ...refused] = await said({ ...changes, mounts: bound }, 'host');
    expect({ type, isHost: device === String(hostDevice) }).toEqual({ type: '1:3', isHost: true });
    expect(refused.join()).toMatch(ro);
  });

  it('is the container’s in a user namespace, too, and its mode stays', async () => {
    const ids = [{ containerID: 0, hostID: 0, size: 65_536 }];
    const namespaces = (['pid', 'network', 'ipc', 'uts', 'mount', 'user'] as const).map((type) => ({ type }));
    const [type, , ...refused] = await said({ linux: { namespaces, uidMappings: ids, gidMappings: ids } }, 'host');
    expect(type).toBe('1:3');
    expect(refused.join()).toMatch(ro);
  });
});

describe('a standard stream', () => {
  it('is no directory', async () => {
    using directory = openFd('/etc', { flags: openFlags.O_RDONLY, directory: true });
    await expect(created(at, ['true'], {}, { stdio: [directory, 'ignore', 'ignore'] })).rejects.toThrow(/standard stream 0 is a directory/);
  });

  it('that is a file stays the file that it is', async () => {
    const output = new Output();
    writeFileSync(join(at.directory, 'words'), 'words\n');
    using file = openFd(join(at.directory, 'words'), { flags: openFlags.O_RDONLY });
    await ran(at, ['cat'], {}, { stdio: [file, output.fd, 'ignore'] });
    expect(output.text).toBe('words\n');
  });
});
