import { parse } from './args.js';
import { commandNamed } from './commands.js';
import { manual } from './help.js';
import { print } from './print.js';
import { noSettings, type Settings } from './settings.js';
import { UsageError } from './usage-error.js';

/** A command line that has been read. */
export interface CommandLine {
  readonly settings: Settings;
  readonly rest: readonly string[];
}

/** Reads the options of a command. With `--help` among them, prints its manual and returns `undefined`. Throws a {@link UsageError}. */
export function readCommandLine(name: string, args: readonly string[]): CommandLine | undefined {
  const command = commandNamed(name);
  if (!command) throw new UsageError('command', name, 'there is no such command');
  const settings = noSettings();
  const { help, rest } = parse(name, args, command.options, settings);
  if (!help) return { settings, rest };
  print(manual(command));
  return undefined;
}

/** For a command that takes options only. Throws a {@link UsageError} if there is more. */
export function refuseMore(name: string, [word]: readonly string[]): void {
  if (word !== undefined) throw new UsageError(name, word, 'it takes no arguments');
}
