// What launched plans of the tests end in.
import { announceExec, type Step } from '@ctr/syscall';

/** The last steps: a program. */
export function program(path: string, ...args: string[]): Step[] {
  return [announceExec(), { call: 'execve', args: [path, [path, ...args], ['PATH=/bin:/usr/bin']], purpose: 'the program of a test' }];
}

/** The last steps: a shell script, run by the system's own shell. */
export function script(text: string): Step[] {
  return program('/bin/sh', '-c', text);
}
