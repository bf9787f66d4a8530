import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import type { Fd } from '@ctr/syscall';

import type { Measurement, Order, Setting } from './worker.js';

/** Something whose time is measured, many times, in a process of its own. */
export interface Contender {
  /** Does it `count` times, and tells what each time took, in milliseconds (or what else it measures). */
  sample(count: number): Promise<readonly number[]>;
}

/** Sources stand beside this directory, which holds what they are compiled to. */
const sources = join(fileURLToPath(import.meta.url), '../..');

/** Compiles one of the C programs into a directory. */
export function compileC(source: string, directory: string, name: string, definitions: readonly string[] = [], libraries: readonly string[] = []): string {
  const executable = join(directory, name);
  execFileSync(
    'gcc',
    ['-O2', '-Wall', '-Wno-unused', ...definitions.map((definition) => `-D${definition}`), '-o', executable, join(sources, source), ...libraries],
    {
      stdio: 'inherit',
    },
  );
  return executable;
}

/** A C program that answers a line with a number by a line with as many times, in nanoseconds. */
export class CProgram implements Contender {
  readonly #process: ChildProcess;
  readonly #answers: Interface;
  readonly #end: Promise<never>;

  constructor(executable: string, args: readonly string[] = [], files: readonly Fd[] = []) {
    const child = spawn(executable, args, { stdio: ['pipe', 'pipe', 'inherit', 'ignore', ...files.map((file) => file.number)] });
    this.#process = child;
    this.#answers = createInterface({ input: child.stdout as Readable });
    this.#end = unexpectedEnd(child);
  }

  async sample(count: number): Promise<readonly number[]> {
    const answer = once(this.#answers, 'line') as Promise<[string]>;
    this.#process.stdin?.write(`${count}\n`);
    const [line] = await Promise.race([answer, this.#end]);
    return line.split(' ').map((nanoseconds) => Number(nanoseconds) / 1e6);
  }

  close(): void {
    this.#process.stdin?.end();
  }
}

/** A Node process with a heap of a certain size, which takes its orders from this one. */
export class Worker {
  readonly #process: ChildProcess;
  readonly #end: Promise<never>;

  private constructor(child: ChildProcess) {
    this.#process = child;
    this.#end = unexpectedEnd(child);
  }

  /** @param id the user and group that the process is, if not those of this one */
  static async start(setting: Setting, id?: number): Promise<Worker> {
    const options = { execArgv: ['--expose-gc'], ...(id !== undefined && { uid: id, gid: id }) };
    const worker = new Worker(fork(join(sources, 'dist/worker.js'), [JSON.stringify(setting)], options));
    await worker.#answer();
    return worker;
  }

  contender(what: Measurement): Contender {
    return { sample: (count) => this.measure(what, count) };
  }

  async measure(what: Measurement, count: number): Promise<readonly number[]> {
    this.#process.send({ what, count } satisfies Order);
    return await this.#answer();
  }

  async #answer(): Promise<readonly number[]> {
    const [answer] = (await Promise.race([once(this.#process, 'message'), this.#end])) as [readonly number[]];
    return answer;
  }

  close(): void {
    this.#process.disconnect();
  }
}

/** Rejects when a process ends while an answer of it is awaited; otherwise nobody minds. */
function unexpectedEnd(child: ChildProcess): Promise<never> {
  const end = once(child, 'exit').then(([code, signal]: unknown[]) => {
    throw new Error(`${child.spawnfile} ended with ${String(signal ?? code)}`);
  });
  end.catch(() => undefined);
  return end;
}
