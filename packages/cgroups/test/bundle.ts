// A program of its own, with the sources of this package in it: for what has to be another process, user or mount namespace.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const packageDirectory = fileURLToPath(new URL('..', import.meta.url));
const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));

export interface Bundle extends Disposable {
  /** The path of the program, which node runs. */
  readonly program: string;
  /** What node needs to find koffi. */
  readonly env: { readonly NODE_PATH: string };
}

export async function bundle(source: string): Promise<Bundle> {
  const directory = mkdtempSync(join(tmpdir(), 'ctr-bundle-'));
  const program = join(directory, 'program.mjs');
  await build({
    stdin: { contents: source, resolveDir: packageDirectory, loader: 'ts' },
    outfile: program,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@ctr/source'],
    logLevel: 'error',
  });
  return { program, env: { NODE_PATH: modules }, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}
