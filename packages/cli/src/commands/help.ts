import { nearest } from '@ctr/syscall';

import { commandNamed, commands } from '../commands.js';
import { manual, overview } from '../help.js';
import { print } from '../print.js';
import { UsageError } from '../usage-error.js';

/** `ctr help`, `ctr help COMMAND`. */
export function help([name]: readonly string[]): Promise<number> {
  print(name === undefined || name === '--help' || name === '-h' ? overview() : manualOf(name));
  return Promise.resolve(0);
}

function manualOf(name: string): string {
  const command = commandNamed(name);
  if (command) return manual(command);
  const names = commands.map((each) => each.name);
  const near = nearest(name, names);
  throw new UsageError('help', name, near === undefined ? `the commands are ${names.join(', ')}` : `did you mean ctr help ${near}?`);
}
