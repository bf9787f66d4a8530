// What the tests of Landlock share: rules put in force in a process of their own, which then attempts something.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { AT_FDCWD, isSyscallError, launch, openFlags, resultOf, type Plan, type Step } from '@ctr/syscall';
import { onTestFinished } from 'vitest';

/** An empty directory that is gone when the test is over. */
export function temporary(): string {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'ctr-landlock-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** Takes steps in a process of its own; `done`, or the errno of the step that failed, if that is the last one. */
export async function attempt(...plan: readonly [...Step[], Step]): Promise<string> {
  const end: Step = { call: 'exit_group', args: [0], purpose: 'end' };
  try {
    const child = await launch([...plan, end]);
    const { code } = await child.exited;
    if (code !== 0) throw new Error(`the process ended with ${code}`);
    return 'done';
  } catch (error) {
    if (isSyscallError(error) && error.step === plan.length - 1) return error.code;
    throw error;
  }
}

/** Takes each last step on its own, after the same first steps, which are made anew for each. */
export async function attempts(first: () => Plan, steps: Readonly<Record<string, Step | Plan>>): Promise<Record<string, string>> {
  const outcomes: Record<string, string> = {};
  for (const [name, step] of Object.entries(steps)) {
    const plan = [...first(), ...('call' in step ? [step] : step)];
    outcomes[name] = await attempt(...(plan as [Step]));
  }
  return outcomes;
}

/** Opens a file. */
export function open(path: string, flags: number, mode = 0o644): Step {
  return { call: 'openat', args: [AT_FDCWD, path, flags | openFlags.O_CLOEXEC, mode], purpose: `open ${path}` };
}

/** A socket with an address. */
export function bound(domain: number, type: number, address: Uint8Array): [socket: Step, bind: Step] {
  const socket: Step = { call: 'socket', args: [domain, type, 0], purpose: 'a socket' };
  return [socket, { call: 'bind', args: [resultOf(socket), address, address.length], purpose: 'give it an address' }];
}

/** netinet/in.h, struct sockaddr_in of 127.0.0.1 */
export function loopback(port: number): Uint8Array {
  return Uint8Array.of(2, 0, port >> 8, port & 0xff, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
}
