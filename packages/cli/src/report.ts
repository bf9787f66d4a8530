import { containers } from './lazy.js';
import { printError, styled } from './print.js';
import { printable } from './text.js';
import { UnknownWordError, UsageError } from './usage-error.js';

const FAILED = 125;

/** Tells an error on stderr, and resolves to the exit code that it means. */
export async function report(error: unknown): Promise<number> {
  if (!(error instanceof UsageError)) return (await containers()).reportFailure(error);
  tell([(await explained(error)).message]);
  return FAILED;
}

/** Prints the lines of a message, the first of them behind the program's name. */
export function tell(lines: readonly string[]): void {
  printError(`${styled('red', 'ctr:')} ${lines.map((line) => printable(line)).join('\n  ')}\n`);
}

async function explained(error: UsageError): Promise<UsageError> {
  if (!(error instanceof UnknownWordError)) return error;
  const { nearest } = await containers();
  const near = nearest(error.word, error.among);
  return near === undefined ? error : error.meaning(near);
}
