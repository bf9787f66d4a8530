// What the tests of notifications share: a plan whose calls are answered by a test.
import { readSync } from 'node:fs';

import { call, Fd, isSyscallError, launch, resultOf, type Exit, type Plan, type Step } from '@ctr/syscall';
import { onTestFinished } from 'vitest';

import { handOverListener, Notifier, seccomp, type NotifierOptions } from '@ctr/security';

/** Steps that load a filter which asks about some calls, hand its listener over and wait until somebody answers. */
export function listen(...names: readonly string[]): Step[] {
  return handOverListener(seccomp({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names, action: 'SCMP_ACT_NOTIFY' }] }));
}

/** What became of a supervised process: how it ended, or the errno of the step at which its set-up failed; and what it wrote. */
export interface Outcome {
  readonly exit: Exit | undefined;
  readonly code: string | undefined;
  readonly output: string;
}

/** Launches a plan that begins with {@link listen}, and answers its calls until it ends. */
export async function supervised(plan: Plan, supervise: (notifier: Notifier) => Promise<void>, options: NotifierOptions = {}): Promise<Outcome> {
  const output = new Fd(call({ call: 'memfd_create', args: ['output', 1], purpose: 'the output of a test' }));
  onTestFinished(() => output.close());
  let supervising: Promise<void> | undefined;
  const answer = async (listener: Fd): Promise<void> => {
    using notifier = new Notifier(listener, options);
    await supervise(notifier);
  };
  let [exit, code]: [Exit | undefined, string | undefined] = [undefined, undefined];
  try {
    const onFile = (listener: Fd): void => {
      supervising = answer(listener);
      supervising.catch(() => undefined); // it is awaited below
    };
    const child = await launch(plan, { stdio: ['ignore', output, output], onFile });
    exit = await child.exited;
  } catch (error) {
    if (!isSyscallError(error)) throw error;
    ({ code } = error);
  }
  await supervising;
  const bytes = Buffer.alloc(64 * 1024);
  return { exit, code, output: bytes.toString('utf8', 0, readSync(output.number, bytes, 0, bytes.length, 0)) };
}

/** The last step: the result of another is the exit code. */
export function exitWith(step: Step): Step {
  return { call: 'exit_group', args: [resultOf(step)], purpose: 'the result is the exit code' };
}

/** The last step. */
export function end(): Step {
  return { call: 'exit_group', args: [0], purpose: 'end' };
}
