import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BUSYBOX = '/bin/busybox';

/** A root file system with one program that is all of them: a static busybox. It is removed when this process ends. */
export function busyboxRootfs(): string {
  const root = mkdtempSync(join(tmpdir(), 'busybox-'));
  process.once('exit', () => rmSync(root, { recursive: true }));
  chmodSync(root, 0o755);
  for (const name of ['bin', 'proc', 'mytemp']) mkdirSync(join(root, name));
  copyFileSync(BUSYBOX, join(root, 'bin/busybox'));
  const applets = execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const applet of applets) if (applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
  return root;
}
