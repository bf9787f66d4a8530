// A Node program of its own, with the sources of a package in it: for what has to be another process, user or mount namespace.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build, stop, type BuildOptions } from 'esbuild';

const modules = join(import.meta.dirname, '../../node_modules');

/** How a module in TypeScript, and the sources of the packages that it imports, become one that node runs. */
export const asModule = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  conditions: ['@ctr/source'],
  logLevel: 'error',
} satisfies BuildOptions;

/** A module that was bundled into one file; disposing removes it. */
export interface NodeProgram extends Disposable {
  /** Of a directory that everybody may enter, with nothing else in it. */
  readonly directory: string;
  /** What node runs. */
  readonly path: string;
  /** What node needs to find koffi. */
  readonly env: { readonly NODE_PATH: string; readonly PATH: string };
}

/**
 * Bundles a module into one file that node runs.
 *
 * @param source in TypeScript
 * @param importer the directory that its imports are looked up from: a package finds itself, and what it depends on
 */
export async function nodeProgram(source: string, importer: string): Promise<NodeProgram> {
  const directory = mkdtempSync(join(tmpdir(), 'ctr-program-'));
  chmodSync(directory, 0o755);
  const path = join(directory, 'program.mjs');
  await build({
    stdin: { contents: source, resolveDir: importer, loader: 'ts' },
    outfile: path,
    ...asModule,
  });
  // Its service would otherwise stay, as a child of this process.
  await stop();
  return {
    directory,
    path,
    env: { NODE_PATH: modules, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}
