// Bundles the bin of @ctr/cli: loading one file costs half of what loading its 80 modules does. Commands that are loaded lazily
// become files of their own. Runs in packages/cli, as the second half of its build.
import { build } from 'esbuild';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const out = 'dist';
// tsc writes only declarations here: every script is of an earlier bundle.
for (const file of existsSync(out) ? readdirSync(out) : []) if (file.endsWith('.js')) rmSync(join(out, file));

await build({
  entryPoints: ['src/bin.ts', 'src/index.ts'].filter((file) => existsSync(file)),
  outdir: out,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  conditions: ['@ctr/source'],
  external: ['koffi'],
  legalComments: 'none',
  // Less to read at each start; names stay, for whoever reads a stack trace.
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
  plugins: [
    {
      // @ctr/cli depends on koffi through @ctr/syscall only. Where dependencies are not hoisted, koffi is found from there alone.
      name: 'koffi-of-ctr-syscall',
      setup(bundler) {
        bundler.onLoad({ filter: /\/syscall\/src\/ffi\.ts$/ }, async ({ path }) => {
          const source = await readFile(path, 'utf8');
          const contents = source.replace('createRequire(import.meta.url)', "createRequire(import.meta.resolve('@ctr/syscall'))");
          if (contents === source) throw new Error(`${path} no longer loads koffi by createRequire(import.meta.url): change tools/bundle.mjs as well`);
          return { contents, loader: 'ts' };
        });
      },
    },
  ],
});
