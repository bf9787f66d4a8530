// Runs an example with the sources of the packages: node examples/run.mjs 01-hostname, and behind the name what it takes itself.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

const [name = '', ...args] = process.argv.slice(2);
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => basename(file, '.ts'));
if (!names.includes(name)) {
  console.error(`node examples/run.mjs NAME, which is one of ${names.join(', ')}`);
  process.exit(2);
}
// Inside of the repository, so that koffi is found.
const outdir = mkdtempSync(join(import.meta.dirname, '../node_modules/.example-'));
process.on('SIGINT', () => undefined); // Ctrl-C is for the example
try {
  await build({
    entryPoints: [join(import.meta.dirname, `${name}.ts`)],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    conditions: ['@ctr/source'],
    external: ['koffi', 'execa'],
  });
  process.exitCode = spawnSync(process.execPath, [join(outdir, `${name}.mjs`), ...args], { stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(outdir, { recursive: true });
}
