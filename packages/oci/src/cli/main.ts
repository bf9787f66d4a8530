import { isSyscallError, isWhole, quote } from '@ctr/syscall';

import { parseArgs, UsageError, type Args } from './args.js';
import { help, noCommand } from './help.js';
import { Log } from './log.js';
import { commands, globalOptions, type Command } from './options.js';
import { actions } from './actions.js';
import { print, printError } from './print.js';
import { progress } from './progress.js';
import { ownVersion } from './version.js';
import { OCI_VERSION } from '../version.js';

const FAILED = 1;
/** What runc ends with if the process of `exec` could not be started: what a program itself may end with is less. */
const EXEC_FAILED = 255;

/**
 * The program `ctr-oci`: carries out a command line of runc's form and resolves to its exit code. Errors are told on stderr and in the log.
 *
 * @param tell Gets an error in the place of stderr and the log, and returns the exit code.
 * @example
 * ```ts
 * import { main } from '@ctr/oci';
 * process.exitCode = await main(['--root', '/tmp/ctr-oci-example', 'list', '-q']);
 * ```
 */
export async function main(args: readonly string[], tell?: (error: unknown) => number): Promise<number> {
  let log = new Log({ file: undefined, format: 'text', isDebugging: false });
  let name = '';
  let isDebugging = false;
  try {
    const raw = args.find((word) => !isWhole(word));
    if (raw !== undefined) throw new UsageError(`${quote(raw)} has bytes in it that are no UTF-8`);
    const globals = parseArgs(args, globalOptions, false);
    log = logOf(globals);
    isDebugging = globals.flag('debug');
    if (globals.flag('version')) return print(`ctr-oci version ${ownVersion()}\nspec: ${OCI_VERSION}\n`);
    [name = 'help'] = globals.rest;
    if (globals.flag('help') || name === 'help') return print(help(name === 'help' ? globals.rest[1] : undefined));
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    const action = actions[name];
    if (!command || !action) throw new UsageError(noCommand(name));
    const given = globals.rest.slice(1);
    if (asksForHelp(given, command)) return print(help(name));
    const root = globals.text('root');
    log.debug(`${name}: ctr-oci ${ownVersion()}, process ${process.pid} of user ${process.geteuid?.()}: ${given.map((word) => quote(word)).join(' ')}`);
    const code = await action({
      args: parseArgs(given, command.options, command.endsAtId !== true),
      root: root === undefined || root === '' ? {} : { root },
      log,
      cgroupManager: globals.text('cgroup-manager') ?? (globals.flag('systemd-cgroup') ? 'systemd' : 'cgroupfs'),
    });
    progress.hasRun = true;
    log.debug(`${name}: it ended with ${code}`);
    return code;
  } catch (error) {
    if (tell) return tell(error);
    log.error(messageOf(name, error));
    if (isDebugging && isSyscallError(error) && error.plan !== undefined) printError(`${error.plan}\n`);
    return name === 'exec' ? EXEC_FAILED : FAILED;
  }
}

/** Tells an error that nobody has caught. */
export function report(error: unknown): number {
  new Log({ file: undefined, format: 'text', isDebugging: false }).error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return FAILED;
}

/** As runc words it, where engines look at the words. */
function messageOf(name: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return name === 'exec' ? `exec failed: ${message}` : name === 'run' || name === 'create' ? `${name} failed: ${message}` : message;
}

/** Whether the words of a command ask what it is: those behind `--` and those of another program do not. */
function asksForHelp(words: readonly string[], { endsAtId }: Command): boolean {
  const end = endsAtId ? 1 : words.indexOf('--');
  return words.slice(0, end < 0 ? undefined : end).some((word) => word === '--help' || word === '-h');
}

function logOf(globals: Args): Log {
  const format = globals.text('log-format') ?? 'text';
  if (format !== 'text' && format !== 'json') throw new UsageError(`--log-format ${quote(format)}: text or json`);
  // crun's form of a path.
  const log = new Log({ file: globals.text('log')?.replace(/^file:/, '') || undefined, format, isDebugging: globals.flag('debug') });
  log.open();
  return log;
}
