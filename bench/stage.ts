import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { compileFilter, defaultCapabilities, defaultProfile } from '@ctr/security';

import { findOnPath } from './on-path.js';

/** A directory for what is compiled, and in it the root file system of the seed's set: busybox and the places for its mounts. */
export interface Stage extends Disposable {
  readonly directory: string;
  readonly rootfs: string;
  /** A file with the filter that a default container has. */
  readonly filter: string;
}

/** Throws where busybox is not installed. It has to be linked statically. */
export function makeStage(): Stage {
  const busybox = findOnPath('busybox');
  if (busybox === undefined) throw new Error(`there is no busybox in ${process.env['PATH']?.replaceAll(delimiter, ' ')}: install busybox-static`);
  const directory = mkdtempSync(join(tmpdir(), 'ctr-bench-'));
  const rootfs = join(directory, 'rootfs');
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp']) mkdirSync(join(rootfs, name), { recursive: true });
  copyFileSync(busybox, join(rootfs, 'bin/busybox'));
  symlinkSync('busybox', join(rootfs, 'bin/true'));
  const filter = join(directory, 'filter');
  writeFileSync(filter, compileFilter(defaultProfile, { capabilities: defaultCapabilities }).instructions);
  // An ordinary user is to read it, too.
  chmodSync(directory, 0o755);
  return { directory, rootfs, filter, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}
