import { printable } from '@ctr/syscall';
import { collectGarbage } from '@ctr/cgroups';
import { groupsOf } from '@ctr/runtime';

import { readCommandLine, refuseMore } from '../command-line.js';
import { print } from '../print.js';

/** `ctr gc`: removes the cgroups whose ctr is dead, with what still runs in them. */
export async function gc(args: readonly string[]): Promise<number> {
  const line = readCommandLine('gc', args);
  if (!line) return 0;
  refuseMore('gc', line.rest);
  const removed = await collectGarbage(groupsOf(line.settings.cgroupParent));
  if (!line.settings.quiet) print(removed.length === 0 ? 'nothing to remove\n' : removed.map((directory) => `removed ${printable(directory)}\n`).join(''));
  return 0;
}
