// Starts the real program: the bin, bundled once for each test file, as it is published.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

import { makeProgram } from '../../../test/support/program.js';

const directory = await makeProgram('oci');
/** The bin, in a directory that every user can read. */
export const bin = join(directory, 'bin.cjs');
/** The words that start it. */
export const command = [process.execPath, bin] as const;

/** How a program ended, and what it said. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `ctr-oci` with these arguments to its end. */
export function ctrOci(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>>; readonly input?: string; readonly quiet?: boolean } = {},
): Promise<Outcome> {
  return run([...command, ...args], options);
}

/** Runs a line of a shell, in which `$CTR_OCI` is the program. */
export function shell(line: string, options: { readonly cwd?: string; readonly prefix?: readonly string[] } = {}): Promise<Outcome> {
  return run([...(options.prefix ?? []), 'sh', '-c', line], { ...options, env: { CTR_OCI: `${process.execPath} ${bin}` } });
}

/** Runs any program to its end. */
export function run(
  [program = '', ...args]: readonly string[],
  { cwd, env = {}, input = '', quiet = false }: Parameters<typeof ctrOci>[1] = {},
): Promise<Outcome> {
  const child = spawn(program, args, {
    // A container that stays would keep pipes open.
    stdio: quiet ? ['ignore', 'ignore', 'ignore'] : 'pipe',
    // What it keeps at the user's goes away with the bundle.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], XDG_CACHE_HOME: directory, ...env },
    ...(cwd !== undefined && { cwd }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (bytes) => (stdout += String(bytes)));
  child.stderr?.on('data', (bytes) => (stderr += String(bytes)));
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
