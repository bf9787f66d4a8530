import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Script } from 'node:vm';

import { CodeCache } from './code-cache.js';
import { raisedRights } from './raised-rights.js';
import { writeText } from './write-text.js';

/** What a program's script exports. */
export interface Program {
  /** Carries out a command line and resolves to its exit code. */
  readonly main: (args: readonly string[]) => Promise<number>;
  /** The command line. */
  readonly callersWords: () => string[];
  /** Tells an error that nobody has caught, and resolves to the exit code that it means. */
  readonly report: (error: unknown) => Promise<number> | number;
  /** Whether it has gone through the parts that are worth keeping compiled. */
  readonly progress: { readonly hasRun: boolean };
}

/** What the caller of a bin is told that must not run. */
const REFUSED = 125;

/**
 * Runs a bundled program with the code that V8 has compiled of it before, and exits as it says. Refuses to run with rights that its caller does not have.
 *
 * @param name the program's, for messages
 * @param path of the script, which is plain ASCII
 * @param digest names the content of the script
 */
export function runProgram(name: string, path: string, digest: string, load: NodeJS.Require): void {
  // Node would listen for a debugger. A program that passes signals on does so besides.
  process.on('SIGUSR1', () => undefined);
  const raised = raisedRights();
  if (raised !== undefined) {
    // Before anything of the caller's is looked at, compiled code that was kept included.
    writeText(2, `${name}: ${raised}\n`);
    process.exit(REFUSED);
  }
  const source = readFileSync(path, 'latin1');
  const cache = new CodeCache(digest);
  const cachedData = cache.read();
  const script = new Script(source, { filename: path, ...(cachedData && { cachedData }) });
  const loaded = { exports: {} as Program };
  (script.runInThisContext() as (...scope: unknown[]) => void)(loaded.exports, load, loaded, path, dirname(path));
  const { callersWords, main, progress, report } = loaded.exports;
  const fail = async (error: unknown): Promise<never> => process.exit(await report(error));
  process.on('uncaughtException', (error) => void fail(error));
  void main(callersWords()).then((code) => {
    // By now V8 has compiled what it takes.
    if (progress.hasRun && (!cachedData || script.cachedDataRejected)) cache.write(script.createCachedData());
    process.exit(code);
  });
}
