import { parseArgs } from 'node:util';

import { insteadOfOption } from './docker-words.js';
import type { Settings } from './settings.js';
import { UnknownWordError, UsageError, ValueError } from './usage-error.js';

/** The headings that options stand under in the help. */
export type Group = 'Program' | 'Containers' | 'Files' | 'Limits' | 'Namespaces' | 'Security' | 'Input and output' | 'Output' | 'Look without running';

/** An option: what the parser, the help and the documentation know of it. */
export interface Option {
  /** Without the dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** Other names, which the help mentions behind the first. */
  readonly aliases?: readonly string[];
  /** What stands for its value in the help; without one it takes no value. */
  readonly metavar?: string;
  /** One line. */
  readonly help: string;
  readonly group: Group;
  /** Each occurrence adds to those before; otherwise the last one counts. */
  readonly repeatable?: boolean;
  /** Takes a value over into the settings. Throws a {@link ValueError} that says what is allowed. */
  readonly set: (settings: Settings, value: string) => void;
}

/** What was found on a command line. */
export interface Parsed {
  /** `--help` is among the options. */
  readonly help: boolean;
  /** Everything from the first word on that is no option, as it is. */
  readonly rest: readonly string[];
}

/**
 * Reads options into settings. They end at the first word that is none, or at `--`; what follows belongs to the program and is not looked at.
 * Throws a {@link UsageError}.
 */
export function parse(command: string, args: readonly string[], options: readonly Option[], settings: Settings): Parsed {
  const byName = new Map(options.flatMap((option) => [option.name, ...(option.aliases ?? [])].map((name) => [name, option] as const)));
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: {
      // To docker, -h is a host name, where there is one to give.
      help: { type: 'boolean', ...(!options.some(({ short }) => short === 'h') && { short: 'h' }) },
      ...Object.fromEntries(
        [...byName].map(([name, { metavar, short, name: first }]) => [
          name,
          { type: metavar === undefined ? ('boolean' as const) : ('string' as const), ...(short !== undefined && name === first && { short }) },
        ]),
      ),
    },
  });
  for (const token of tokens) {
    if (token.kind === 'positional') return { help: false, rest: args.slice(token.index) };
    if (token.kind === 'option-terminator') return { help: false, rest: args.slice(token.index + 1) };
    if (token.name === 'help') return { help: true, rest: [] };
    const option = byName.get(token.name);
    if (!option) throw unknownOption(command, token.rawName, [...byName.keys()]);
    apply(option, token.rawName, token.value, settings);
  }
  return { help: false, rest: [] };
}

function apply(option: Option, rawName: string, value: string | undefined, settings: Settings): void {
  if (option.metavar === undefined && value !== undefined) throw new UsageError(rawName, value, 'it takes no value');
  if (option.metavar !== undefined && value === undefined)
    throw new UsageError(rawName, undefined, `a value is missing: ${rawName} ${option.metavar}${rawName === '-h' ? '; --help tells of all options' : ''}`);
  try {
    option.set(settings, value ?? '');
  } catch (error) {
    if (error instanceof ValueError) throw new UsageError(rawName, value, error.message);
    throw error;
  }
}

/** Those that take what `docker run` takes. */
const runs: ReadonlySet<string> = new Set(['run', 'child', 'compile']);

function unknownOption(command: string, rawName: string, names: readonly string[]): UsageError {
  const isLong = rawName.startsWith('--');
  const instead = runs.has(command) ? insteadOfOption(rawName.replace(/^--?/, '')) : undefined;
  if (instead !== undefined) return new UsageError(rawName, undefined, instead);
  return new UnknownWordError(command, rawName, 'there is no such option', isLong ? names : [], `ctr ${command} --help lists them`, isLong ? '--' : '-');
}
