import { nearest } from '@ctr/syscall';

import { report } from './report.js';
import { UsageError } from './usage-error.js';

type Action = (args: readonly string[]) => Promise<number>;

/** Each is loaded when it is called. */
const actions: Readonly<Record<string, () => Promise<Action>>> = {
  run: async () => (await import('./commands/run.js')).run,
  child: async () => (await import('./commands/child.js')).child,
  compile: async () => (await import('./commands/compile.js')).compile,
  doctor: async () => (await import('./commands/doctor.js')).doctor,
  gc: async () => (await import('./commands/gc.js')).gc,
  help: async () => (await import('./commands/help.js')).help,
  version: async () => (await import('./commands/version.js')).version,
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
    const load = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (!load) throw unknownCommand(given);
    const action = await load();
    return await action(rest);
  } catch (error) {
    return report(error);
  }
}

function unknownCommand(given: string): UsageError {
  const near = nearest(given, Object.keys(actions));
  return new UsageError('command', given, `there is no such command; ${near === undefined ? 'ctr help lists them' : `did you mean ctr ${near}?`}`);
}
