import { containers } from './lazy.js';
import { tell } from './tell.js';
import { UnknownWordError, UsageError } from './usage-error.js';

const FAILED = 125;
/** For a word of so many letters, what may be meant is not guessed. */
const SHORT = 3;

/** Tells an error on stderr, and resolves to the exit code that it means. */
export async function report(error: unknown): Promise<number> {
  if (!(error instanceof UsageError)) return (await containers()).reportFailure(error);
  tell([(await explained(error)).message]);
  return FAILED;
}

async function explained(error: UsageError): Promise<UsageError> {
  if (!(error instanceof UnknownWordError)) return error;
  const { nearest } = await containers();
  // As many words of three letters are near to one another as not.
  const near = error.word.length > SHORT ? nearest(error.word, error.among) : undefined;
  return near === undefined ? error : error.meaning(near);
}
