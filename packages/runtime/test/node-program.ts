// Node programs that use this package in a process of their own: to be killed, to be an ordinary user's, to be in other namespaces.
import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, chmodSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { buildSync } from 'esbuild';
import { afterAll, beforeAll } from 'vitest';

import { asModule } from '../../../test/support/node-program.js';

const here = fileURLToPath(new URL('.', import.meta.url));

/** What became of a program. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A module in TypeScript that may import this package, those below it, and what the tests have; bundled for all tests of the file. */
export class NodeProgram {
  #directory = '';
  #path = '';

  constructor(source: string | URL) {
    beforeAll(() => {
      // The checkout may be out of reach for an ordinary user: all that the program needs lies in a directory that is not.
      this.#directory = mkdtempSync(join(realpathSync(tmpdir()), 'ctr-program-'));
      chmodSync(this.#directory, 0o755);
      this.#path = join(this.#directory, 'program.mjs');
      buildSync({
        ...(typeof source === 'string' ? { stdin: { contents: source, resolveDir: here, loader: 'ts' } } : { entryPoints: [fileURLToPath(source)] }),
        outfile: this.#path,
        ...asModule,
      });
      copyKoffi(join(this.#directory, 'node_modules'));
    });
    afterAll(() => rmSync(this.#directory, { recursive: true }));
  }

  get path(): string {
    return this.#path;
  }

  /** Runs it, if need be by another command, to which its own is added. */
  start(args: readonly string[] = [], { by = [], input = false }: { readonly by?: readonly string[]; readonly input?: boolean } = {}): ChildProcess {
    const [program = '', ...rest] = [...by, process.execPath, this.#path, ...args];
    return spawn(program, rest, { cwd: '/', env: { PATH: process.env['PATH'] ?? '' }, stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
  }

  /** Runs it to its end. */
  async run(args: readonly string[] = [], options: { readonly by?: readonly string[] } = {}): Promise<Outcome> {
    return await ended(this.start(args, options));
  }
}

/** Collects what a process writes until its end. */
export function ended(child: ChildProcess): Promise<Outcome> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => (stdout += String(chunk)));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** koffi is the one dependency, and native: it cannot be in the bundle. */
function copyKoffi(to: string): void {
  const require = createRequire(createRequire(import.meta.url).resolve('@ctr/syscall/package.json'));
  const koffi = dirname(require.resolve('koffi'));
  mkdirSync(to);
  cpSync(koffi, join(to, 'koffi'), { recursive: true });
  cpSync(join(dirname(koffi), '@koromix'), join(to, '@koromix'), { recursive: true });
}
