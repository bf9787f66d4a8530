// What the tests of launched plans share.
import { readdirSync, readFileSync, readSync } from 'node:fs';

import { announceExec, call, Fd, launch, type Exit, type LaunchOptions, type Plan, type Step } from '@ctr/syscall';

/** The last steps: a program. */
export function program(path: string, ...args: string[]): Step[] {
  return [announceExec(), { call: 'execve', args: [path, [path, ...args], ['PATH=/bin:/usr/bin']], purpose: 'the program of a test' }];
}

/** The last steps: a shell script. */
export function script(text: string): Step[] {
  return program('/bin/sh', '-c', text);
}

/** A file in memory that takes what a process writes. */
export class Output {
  readonly file = new Fd(call({ call: 'memfd_create', args: ['output', 1], purpose: 'the output of a test' }));

  text(): string {
    const bytes = Buffer.alloc(256 * 1024);
    return bytes.toString('utf8', 0, readSync(this.file.number, bytes, 0, bytes.length, 0)).trimEnd();
  }
  [Symbol.dispose](): void {
    this.file.close();
  }
}

/** Launches a plan and waits for its end; what it wrote to stdout and stderr. */
export async function launched(plan: Plan, options: Omit<LaunchOptions, 'stdio'> = {}): Promise<{ readonly exit: Exit; readonly output: string }> {
  using output = new Output();
  const child = await launch(plan, { ...options, stdio: ['ignore', output.file, output.file] });
  return { exit: await child.exited, output: output.text() };
}

/** The error that a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof Error)) throw new Error('it was not rejected');
  return outcome;
}

/** The files that this process has open, but for those of the event loop and of this reading. */
export function openFiles(): string[] {
  return readdirSync('/proc/self/fd');
}

/** The processes whose parent is this one, zombies among them: their pid, name and state. */
export function children(): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const [, name = '', state = '', parent] = /^\d+ \((.*)\) (\S) (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
      if (parent === String(process.pid)) found.push(`${pid} ${name} ${state}`);
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}
