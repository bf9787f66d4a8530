import { renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Writes a pid to a file: whoever waits for it finds all of it. */
export function writePidFile(path: string, pid: number): void {
  const unfinished = join(dirname(path), `.${basename(path)}`);
  writeFileSync(unfinished, String(pid), { mode: 0o644 });
  renameSync(unfinished, path);
}
