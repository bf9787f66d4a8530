import { readFileSync } from 'node:fs';
import { arch, release } from 'node:os';
import { join } from 'node:path';

import { refuseMore, readCommandLine } from '../command-line.js';
import { print } from '../print.js';

/** `ctr version` */
export function version(args: readonly string[]): Promise<number> {
  const line = readCommandLine('version', args);
  if (line) {
    refuseMore('version', line.rest);
    print(`ctr ${ownVersion()}\nnode ${process.version.slice(1)}\nlinux ${release()} ${arch()}\n`);
  }
  return Promise.resolve(0);
}

/** The package.json is one directory above, of the sources and of the bundle, or two. */
function ownVersion(): string {
  for (const above of ['../package.json', '../../package.json']) {
    try {
      const { name, version: found } = JSON.parse(readFileSync(join(import.meta.dirname, above), 'utf8')) as { name?: string; version?: string };
      if (name === '@ctr/cli' && found !== undefined) return found;
    } catch {
      // It is not there, then.
    }
  }
  return 'unknown';
}
