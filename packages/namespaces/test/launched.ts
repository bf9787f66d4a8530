// What the root tests of this package share: a plan launched, with what its program wrote.
import { readSync } from 'node:fs';

import { announceExec, call, Fd, launch, type Exit, type LaunchOptions, type Plan, type Step } from '@ctr/syscall';

/** Where Debian, Fedora and Alpine have it. */
const busybox = '/bin/busybox';

/** The last steps: a shell script, run by busybox, which works in any namespace. */
export function script(text: string): Step[] {
  return [announceExec(), { call: 'execve', args: [busybox, ['sh', '-c', text], ['PATH=/bin:/usr/bin']], purpose: 'the program of a test' }];
}

/** Launches a plan and waits for its end; what it wrote to stdout and stderr. */
export async function launched(plan: Plan, options: Omit<LaunchOptions, 'stdio'> = {}): Promise<{ readonly exit: Exit; readonly output: string }> {
  const file = new Fd(call({ call: 'memfd_create', args: ['output', 1], purpose: 'the output of a test' }));
  try {
    const child = await launch(plan, { ...options, stdio: ['ignore', file, file] });
    const exit = await child.exited;
    const bytes = Buffer.alloc(64 * 1024);
    return { exit, output: bytes.toString('utf8', 0, readSync(file.number, bytes, 0, bytes.length, 0)).trimEnd() };
  } finally {
    file.close();
  }
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
