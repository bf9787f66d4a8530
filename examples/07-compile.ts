// A container as an executable of a few kilobytes, which needs no Node.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { standalone } from '@ctr/runtime';

const directory = mkdtempSync(join(tmpdir(), 'compiled-'));
const file = join(directory, 'hello');
const bytes = standalone(['sh', '-c', 'echo "hello from process $$ of $(hostname)"'], { hostname: 'box' });
writeFileSync(file, bytes, { mode: 0o755 });
console.log(`${bytes.length} bytes`);
console.log(execFileSync(file, { encoding: 'utf8' }).trim());
rmSync(directory, { recursive: true });
// prints:
// …
// hello from process 1 of box
