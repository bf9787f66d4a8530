import { commandNamed, commands } from '../commands.js';
import { manual, overview } from '../help.js';
import { print } from '../print.js';
import { UnknownWordError } from '../usage-error.js';

/** `ctr help`, `ctr help COMMAND`. */
export function help([name]: readonly string[]): Promise<number> {
  print(name === undefined || name === '--help' || name === '-h' ? overview() : manualOf(name));
  return Promise.resolve(0);
}

function manualOf(name: string): string {
  const command = commandNamed(name);
  if (command) return manual(command);
  throw new UnknownWordError(
    'help',
    name,
    'there is no such command',
    commands.map((each) => each.name),
    'ctr help lists them',
  );
}
