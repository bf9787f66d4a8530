// Root file systems for tests.
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, onTestFinished } from 'vitest';

/** Where Debian, Fedora and Alpine have it. */
const busybox = '/bin/busybox';

/** A directory that is gone when the test is over. */
export function temporary(): string {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'ctr-runtime-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A root file system with busybox, all its programs, and two users; gone when the test is over. */
export function image(): string {
  const directory = temporary();
  fill(directory);
  return directory;
}

/** An {@link image} for all tests of a file, which leave it as it is. */
export function sharedImage(): { readonly path: string } {
  const shared = { path: '' };
  beforeAll(() => {
    shared.path = mkdtempSync(join(realpathSync(tmpdir()), 'ctr-runtime-'));
    fill(shared.path);
  });
  afterAll(() => rmSync(shared.path, { recursive: true }));
  return shared;
}

/** Makes a root file system in a directory. */
function fill(directory: string): void {
  chmodSync(directory, 0o755);
  for (const name of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev']) mkdirSync(join(directory, name));
  copyFileSync(busybox, join(directory, busybox));
  applets ??= execFileSync(busybox, ['--list'], { encoding: 'utf8' }).split('\n').filter(Boolean);
  for (const name of applets) if (name !== 'busybox') symlinkSync('busybox', join(directory, 'bin', name));
  writeFileSync(join(directory, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/:/bin/sh\n');
  writeFileSync(join(directory, 'etc/group'), 'root:x:0:\nweb:x:1000:\nlog:x:4:web\n');
}

let applets: string[] | undefined;
