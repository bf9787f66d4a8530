// A small root file system, from the system's static busybox.
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path));

/** Why there can be no such root file system here. */
export const noRootfs = busybox === undefined ? 'busybox-static is not installed' : undefined;

/** Makes one, which is gone when the test process ends. */
export function makeRootfs(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ctr-rootfs-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp']) mkdirSync(join(directory, name));
  if (busybox !== undefined) copyFileSync(busybox, join(directory, 'bin/busybox'));
  for (const name of ['sh', 'cat', 'ls', 'hostname', 'true', 'sleep', 'echo', 'id', 'touch']) symlinkSync('busybox', join(directory, 'bin', name));
  return directory;
}
