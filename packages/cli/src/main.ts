import { help } from './commands/help.js';
import { version } from './commands/version.js';
import { insteadOfCommand } from './docker-words.js';
import { containers } from './lazy.js';
import { report } from './report.js';
import { UnknownWordError, UsageError } from './usage-error.js';

type Action = (args: readonly string[]) => Promise<number>;

const actions: Readonly<Record<string, Action>> = {
  run: async (args) => (await containers()).run(args),
  child: async (args) => (await containers()).child(args),
  compile: async (args) => (await containers()).compile(args),
  doctor: async (args) => (await containers()).doctor(args),
  gc: async (args) => (await containers()).gc(args),
  top: async (args) => (await containers()).top(args),
  help,
  version,
};
const flags: Readonly<Record<string, string>> = { '--help': 'help', '-h': 'help', '--version': 'version' };

/**
 * The program `ctr`: carries out a command line and resolves to its exit code. Errors are told on stderr.
 *
 * @example
 * ```ts
 * import { main } from '@ctr/cli';
 * process.exitCode = await main(['help', 'run']);
 * ```
 */
export async function main(args: readonly string[]): Promise<number> {
  const [given = 'help', ...rest] = args;
  try {
    const name = flags[given] ?? given;
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    const instead = action ? undefined : insteadOfCommand(name);
    if (instead !== undefined) throw new UsageError('command', given, instead);
    if (!action) throw new UnknownWordError('command', given, 'there is no such command', Object.keys(actions), 'ctr help lists them');
    return await action(rest);
  } catch (error) {
    return await report(error);
  }
}
