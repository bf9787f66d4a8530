import { nearest, quote } from '@ctr/syscall';

/** An option of the command line, as the parser and the help know it. */
export interface Option {
  /** Without dashes; the first is the one that values are found by. */
  readonly names: readonly [string, ...string[]];
  /** What stands for its value in the help; without one it is on or off. */
  readonly metavar?: string;
  /** Each occurrence adds to those before; otherwise the last one counts. */
  readonly repeatable?: true;
  /** One line. */
  readonly help: string;
}

/** A command line that cannot be. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The options that were found, and what stands behind them. */
export class Args {
  readonly rest: readonly string[];
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>, rest: readonly string[]) {
    this.#values = values;
    this.rest = rest;
  }

  /** Whether an option without a value is on. */
  flag(name: string): boolean {
    return this.text(name) === 'true';
  }
  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }
  texts(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }
  has(name: string): boolean {
    return this.#values.has(name);
  }
  /** Throws a {@link UsageError} for what is no decimal integer. */
  integer(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^-?(0|[1-9]\d*)$/.test(text) || !Number.isSafeInteger(value)) throw new UsageError(`--${name} ${quote(text)}: give an integer`);
    return value;
  }
}

/**
 * Reads options as runc does: with one dash or two, the value behind `=` or as the next word. They end behind `--`.
 * Throws a {@link UsageError}.
 *
 * @param isMixed whether options may stand behind words that are none; otherwise they end at the first of these
 */
export function parseArgs(args: readonly string[], options: readonly Option[], isMixed: boolean): Args {
  const byName = new Map(options.flatMap((option) => option.names.map((name) => [name, option] as const)));
  const values = new Map<string, string[]>();
  const words: string[] = [];
  let at = 0;
  for (; at < args.length; at++) {
    const word = args[at] ?? '';
    if (word === '--') return new Args(values, [...words, ...args.slice(at + 1)]);
    const [, name, , given] = /^--?([A-Za-z0-9][\w-]*)(=([\s\S]*))?$/.exec(word) ?? [];
    if (name === undefined) {
      if (word.startsWith('-') && word !== '-') throw new UsageError(`${quote(word)} is no option`);
      if (!isMixed) break;
      words.push(word);
      continue;
    }
    const option = byName.get(name);
    if (!option) throw new UsageError(`there is no option --${name}${meant(name, [...byName.keys()], '--')}`);
    const value = option.metavar === undefined ? switchOf(name, given) : (given ?? args[++at]);
    if (value === undefined) throw new UsageError(`the value of --${name} is missing: --${name} ${option.metavar}`);
    values.set(option.names[0], option.repeatable ? [...(values.get(option.names[0]) ?? []), value] : [value]);
  }
  return new Args(values, [...words, ...args.slice(at)]);
}

/** The word that may have been meant. */
export function meant(word: string, among: readonly string[], prefix = ''): string {
  // Of letters one is as near as another.
  const near =
    word.length < 3
      ? undefined
      : nearest(
          word,
          among.filter((name) => name.length > 1),
        );
  return near === undefined ? '' : `: did you mean ${prefix}${near}?`;
}

/** `--force` and `--force=true`, `--force=false`. */
function switchOf(name: string, given: string | undefined): string {
  if (given === undefined || given === 'true' || given === '1') return 'true';
  if (given === 'false' || given === '0') return 'false';
  throw new UsageError(`--${name}=${quote(given)}: true or false`);
}
