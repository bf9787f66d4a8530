import { shown } from './text.js';

/** Something on the command line cannot be: where, what was given, what is allowed. Nothing has been done yet. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  constructor(where: string, given: string | undefined, allowed: string) {
    super(given === undefined ? `${where}: ${allowed}` : `${where}: ${shown(given)}: ${allowed}`);
  }
}

/** The value of an option cannot be; what could be instead. Where it was given is known to the parser. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
}
