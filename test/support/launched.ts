// What the root tests of several packages share: a plan launched, with what its program wrote, and how a promise was rejected.
import { readSync } from 'node:fs';

import { announceExec, call, Fd, launch, type Exit, type LaunchOptions, type Plan, type Step } from '@ctr/syscall';

/** Where Debian, Fedora and Alpine have it: static, so that it runs below any root. */
export const busybox = '/bin/busybox';

/** The last steps: a shell script, run by busybox, which works in any namespace and below any root that has it. */
export function script(text: string): Step[] {
  return [announceExec(), { call: 'execve', args: [busybox, ['sh', '-c', text], ['PATH=/bin:/usr/bin:/sbin']], purpose: 'the program of a test' }];
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
