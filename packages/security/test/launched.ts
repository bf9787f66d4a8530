// What the root tests of this package share: plans launched in fresh processes, with what their program wrote.
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { announceExec, fsconfigCommands, fsmountFlags, fsopenFlags, resultOf, type Plan, type ResultOf, type Step } from '@ctr/syscall';

import { launched } from '../../../test/support/launched.js';

export { launched, rejection, script } from '../../../test/support/launched.js';

/** An ordinary user without any rights. */
export const NOBODY = 65534;

/** The last steps: a program. */
export function program(path: string, ...args: string[]): Step[] {
  return [announceExec(), { call: 'execve', args: [path, [path, ...args], ['PATH=/bin:/usr/bin']], purpose: 'the program of a test' }];
}

/** The last step: an end with an exit code. */
export function end(code: number): Step {
  return { call: 'exit_group', args: [code], purpose: `end with ${code}` };
}

/** The status that the kernel gives of a program that is executed after these steps. */
export async function statusAfter(plan: Plan, path = '/bin/cat'): Promise<string> {
  return (await launched([...plan, ...program(path, '/proc/self/status')])).output;
}

/** The exit code of a plan that ends without a program. */
export async function exitCode(plan: Plan): Promise<number | undefined> {
  return (await launched(plan)).exit.code;
}

/** A directory that everybody may enter, with a copy of a program of the system in it; it is removed with the test. */
export class Copy implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'ctr-security-'));
  readonly path: string;

  constructor(of: string, mode = 0o755) {
    this.path = join(this.directory, 'program');
    chmodSync(this.directory, 0o755);
    copyFileSync(of, this.path);
    chmodSync(this.path, mode);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** A file system of its own that is attached to nothing. */
export function detached(type: string): { readonly steps: Step[]; readonly mount: ResultOf } {
  const open: Step = { call: 'fsopen', args: [type, fsopenFlags.FSOPEN_CLOEXEC], purpose: `a ${type}` };
  const create: Step = { call: 'fsconfig', args: [resultOf(open), fsconfigCommands.FSCONFIG_CMD_CREATE, null, null, 0], purpose: 'make it' };
  const mount: Step = { call: 'fsmount', args: [resultOf(open), fsmountFlags.FSMOUNT_CLOEXEC, 0], purpose: 'a mount of it', as: type };
  return { steps: [open, create, mount], mount: resultOf(mount) };
}
