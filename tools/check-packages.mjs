// What would be published: each package is packed, and publint and attw (are the types wrong?) look at the tarball.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { bin, quietly, root } from './setup.mjs';

const directory = mkdtempSync(join(tmpdir(), 'ctr-pack-'));
process.on('exit', () => rmSync(directory, { recursive: true }));
let failed = false;
quietly('npm', ['pack', '--silent', '--pack-destination', directory, ...readdirSync(join(root, 'packages')).map((name) => `./packages/${name}`)]);
for (const tarball of readdirSync(directory)) {
  const path = join(directory, tarball);
  run(bin('publint'), ['run', '--strict', path]);
  run(bin('attw'), ['--profile', 'esm-only', '--no-definitely-typed', '--format', 'ascii', path]);
}
process.exit(failed ? 1 : 0);

/**
 * @param {string} program
 * @param {string[]} args
 */
function run(program, args) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8' });
  if (status === 0) return;
  console.error(`${program} ${args.join(' ')}\n${stdout}${stderr}`);
  failed = true;
}
