// What of the host an attack must not change.
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, expect } from 'vitest';

/** Files that a container sees, or that run it: none of their bytes, owners, modes and times may be another after a test. */
const files = ['/dev/null', '/dev/zero', '/dev/full', '/dev/tty', '/etc/passwd', '/etc/group', '/proc/sys/kernel/core_pattern', process.execPath];

/** In every test of the file: the host's mounts, devices and programs are as before. */
export function watchTheHost(): void {
  let before: unknown;
  beforeEach(() => {
    before = host();
  });
  afterEach(() => expect(host()).toEqual(before));
}

function host(): unknown {
  return { mounts: readFileSync('/proc/self/mountinfo', 'latin1'), hostname: readFileSync('/proc/sys/kernel/hostname', 'latin1'), files: files.map(identity) };
}

/** Reading a file changes its time of access, and a device that is written to counts as modified. The time of change cannot be set back. */
function identity(path: string): unknown[] {
  const { dev, ino, mode, uid, gid, rdev, size, ctimeMs } = lstatSync(path);
  // A file of proc is another one whenever the kernel has forgotten it.
  return path.startsWith('/proc/')
    ? [path, mode, uid, gid, readFileSync(path, 'latin1')]
    : [path, dev, ino, mode, uid, gid, rdev, ...(rdev === 0 ? [size, ctimeMs] : [])];
}

/** A hash of a file's content. */
export function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** A directory of the host with something of each kind in it, at which links of images are aimed. */
export function canary(directory: string): string {
  mkdirSync(join(directory, 'pts'));
  mkdirSync(join(directory, 'below'));
  for (const name of ['null', 'console', 'passwd', 'ptmx', 'below/file']) writeFileSync(join(directory, name), 'canary\n', { mode: 0o640 });
  symlinkSync('null', join(directory, 'link'));
  return directory;
}

/** Everything about a directory and what is in it, but the times of access. */
export function listing(directory: string): string[] {
  return ['', ...readdirSync(directory, { recursive: true, encoding: 'utf8' })].toSorted().map((name) => {
    const path = join(directory, name);
    const stat = lstatSync(path);
    const content = stat.isFile() ? readFileSync(path, 'utf8') : stat.isSymbolicLink() ? readlinkSync(path) : '';
    return [name, stat.mode.toString(8), stat.uid, stat.gid, stat.ino, stat.size, stat.mtimeMs, content].join(' ');
  });
}
