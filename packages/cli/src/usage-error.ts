import { quote } from '@ctr/syscall';

/** Something on the command line cannot be: where, what was given, what is allowed. Nothing has been done yet. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';

  constructor(where: string, given: string | undefined, allowed: string) {
    super(given === undefined ? `${where}: ${allowed}` : `${where}: ${quote(given)}: ${allowed}`);
  }
}

/** A word that is not one of those there are. Which of them may be meant is found out by who tells it. */
export class UnknownWordError extends UsageError {
  override readonly name: string = 'UnknownWordError';
  readonly word: string;
  readonly among: readonly string[];
  readonly #where: string;
  readonly #what: string;
  readonly #prefix: string;

  /**
   * @param among what it could be, without the prefix
   * @param otherwise what to say if none of them is near
   */
  constructor(where: string, given: string, what: string, among: readonly string[], otherwise: string, prefix = '') {
    super(where, given, `${what}; ${otherwise}`);
    this.word = given.slice(prefix.length);
    this.among = among;
    this.#where = where;
    this.#what = what;
    this.#prefix = prefix;
  }

  /** The same with a word that is near. */
  meaning(near: string): UsageError {
    return new UsageError(this.#where, this.#prefix + this.word, `${this.#what}; did you mean ${this.#prefix}${near}?`);
  }
}

/** The value of an option cannot be; what could be instead. Where it was given is known to the parser. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
}
