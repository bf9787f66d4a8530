#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';

import { CodeCache } from './code-cache.js';
import type * as programModule from './program.js';
import { raisedRights } from './raised-rights.js';

/** Names the content of the program: the bundler puts it in. */
declare const PROGRAM_DIGEST: string;

const raised = raisedRights();
if (raised !== undefined) {
  // Before anything of the caller's is looked at, compiled code that was kept included.
  process.stderr.write(`ctr: ${raised}\n`);
  process.exit(125);
}
// Plain ASCII, as the bundler writes it.
const path = join(import.meta.dirname, 'program.cjs');
const source = readFileSync(path, 'latin1');
const cache = new CodeCache(PROGRAM_DIGEST);
const cachedData = cache.read();
const script = new Script(source, { filename: path, ...(cachedData && { cachedData }) });
const program = { exports: {} as typeof programModule };
(script.runInThisContext() as (...scope: unknown[]) => void)(program.exports, require, program, path, import.meta.dirname);

const { main, progress, report } = program.exports;
const fail = async (error: unknown): Promise<never> => process.exit(await report(error));
process.on('uncaughtException', (error) => void fail(error));
void main(process.argv.slice(2)).then((code) => {
  // By now V8 has compiled what it takes to run a container.
  if (progress.hasRun && (!cachedData || script.cachedDataRejected)) cache.write(script.createCachedData());
  process.exit(code);
});
