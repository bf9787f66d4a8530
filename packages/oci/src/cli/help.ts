import { quote } from '@ctr/syscall';
import { meant, UsageError, type Option } from './args.js';
import { commands, globalOptions } from './options.js';

/** What there is, or what a command takes. Throws a {@link UsageError} for a command that is none. */
export function help(name?: string): string {
  if (name === undefined) {
    const width = Math.max(...Object.keys(commands).map((command) => command.length));
    const lines = Object.entries(commands).map(([command, { summary }]) => `  ${command.padEnd(width)}  ${summary}`);
    return `Usage: ctr-oci [OPTIONS] COMMAND\n\nAn OCI runtime: it does what runc does, by the same command line.\n\nCommands:\n${lines.join('\n')}\n\nOptions:\n${optionLines(globalOptions)}`;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw new UsageError(noCommand(name));
  const options = command.options.length > 0 ? `\nOptions:\n${optionLines(command.options)}` : '';
  return `Usage: ctr-oci ${command.usage}\n\n${command.summary}\n${options}`;
}

/** What to say of a command that is none. */
export function noCommand(name: string): string {
  return `there is no command ${quote(name)}${meant(name, Object.keys(commands)) || ': ctr-oci help lists them'}`;
}

function optionLines(options: readonly Option[]): string {
  const shown = options.map(({ names, metavar, help: text }) => {
    const name = names.toSorted((a, b) => a.length - b.length).map((each) => (each.length === 1 ? `-${each}` : `--${each}`));
    return [`${name.join(', ')}${metavar === undefined ? '' : ` ${metavar}`}`, text] as const;
  });
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, text]) => `  ${name.padEnd(width)}  ${text}\n`).join('');
}
