// Starts the real program: the bin, bundled once for each test file, as it is published.
import { spawn, type StdioOptions } from 'node:child_process';
import { join } from 'node:path';

import { makeProgram } from '../../../test/support/program.js';

const directory = await makeProgram('cli');
/** The bin, in a directory that every user can read. */
export const bin = join(directory, 'bin.cjs');

/** How the program ended, and what it said. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CtrOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Be this user, without further groups. */
  readonly uid?: number;
  readonly stdio?: StdioOptions;
}

/** A `ctr` that runs. */
export interface Running {
  readonly pid: number;
  readonly ended: Promise<Outcome>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when so much has come on stdout. */
  until(text: string): Promise<void>;
}

/** Runs `ctr` with these arguments to its end. */
export function ctr(args: readonly string[], options: CtrOptions = {}): Promise<Outcome> {
  return startCtr(args, options).ended;
}

/** Starts `ctr` with these arguments. */
export function startCtr(args: readonly string[], options: CtrOptions = {}): Running {
  return start([process.execPath, bin, ...args], options);
}

/** Runs a line of a shell, in which `ctr` is the program. */
export function shell(line: string, options: CtrOptions = {}): Promise<Outcome> {
  return start(['bash', '--norc', '-c', `ctr() { ${JSON.stringify(process.execPath)} ${JSON.stringify(bin)} "$@"; }\n${line}`], options).ended;
}

function start([program = '', ...args]: readonly string[], { input = '', env = {}, cwd, uid, stdio = 'pipe' }: CtrOptions): Running {
  const child = spawn(program, args, {
    stdio,
    // What it keeps at the user's goes away with the bundle.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], XDG_CACHE_HOME: directory, ...env },
    ...(cwd !== undefined && { cwd }),
    ...(uid !== undefined && { uid, gid: uid }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (bytes) => (stdout += String(bytes)));
  child.stderr?.on('data', (bytes) => (stderr += String(bytes)));
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return {
    pid: child.pid ?? 0,
    ended,
    kill: (signal) => void child.kill(signal),
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!stdout.includes(text)) return;
          child.stdout?.off('data', look);
          resolve();
        };
        child.stdout?.on('data', look);
        void ended.then(() => reject(new Error(`it ended before it said ${text}: ${stdout}${stderr}`)));
        look();
      }),
  };
}
