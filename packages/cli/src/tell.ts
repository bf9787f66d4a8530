import { printable } from '@ctr/syscall';
import { printError, styled } from './print.js';

/** Prints the lines of a message, the first of them behind the program's name. */
export function tell(lines: readonly string[]): void {
  printError(`${styled('red', 'ctr:')} ${lines.map((line) => printable(line)).join('\n  ')}\n`);
}
