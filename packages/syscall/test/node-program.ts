// A Node program of its own, for what cannot be tried out in the process of the tests.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build, stop } from 'esbuild';

const packageDirectory = fileURLToPath(new URL('..', import.meta.url));
const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));

/** A module that was bundled into one file; disposing removes it. */
export interface NodeProgram extends Disposable {
  readonly path: string;
  readonly env: Record<string, string>;
}

/** Bundles a module (TypeScript, with imports of @ctr/syscall) into one file that node runs. */
export async function nodeProgram(source: string): Promise<NodeProgram> {
  const directory = mkdtempSync(join(tmpdir(), 'ctr-program-'));
  const path = join(directory, 'program.mjs');
  await build({
    stdin: { contents: source, resolveDir: packageDirectory, loader: 'ts' },
    outfile: path,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@ctr/source'],
    logLevel: 'error',
  });
  // Its service would otherwise stay, as a child of this process.
  await stop();
  return { path, env: { NODE_PATH: modules, PATH: '/usr/bin:/bin' }, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}
