import { chmodSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

import { nodePath, printable } from '@ctr/syscall';

import { standalone, standalonePlan } from '@ctr/runtime';

import { readCommandLine } from '../command-line.js';
import { commandOf, containerOptions } from '../container-options.js';
import { printPlan } from '../dry-run.js';
import { isTerminal } from '../is-terminal.js';
import { printError } from '../print.js';
import { size } from '../stats.js';
import { UsageError } from '../usage-error.js';

/** `ctr compile -o FILE [OPTIONS] COMMAND …`: writes an executable that starts the container without Node. */
export function compile(args: readonly string[]): Promise<number> {
  const line = readCommandLine('compile', args);
  if (!line) return Promise.resolve(0);
  const { settings, rest } = line;
  if (settings.json && !settings.dryRun) throw new UsageError('--json', undefined, 'it is for --dry-run');
  const command = commandOf('compile', rest);
  const options = { ...containerOptions(settings), ...(settings.passThrough && { passThrough: true }) };
  if (settings.dryRun) {
    printPlan(standalonePlan(command, options), settings);
    return Promise.resolve(0);
  }
  const { output } = settings;
  if (output === undefined) throw new UsageError('compile', undefined, 'the file to write is missing: ctr compile -o FILE [OPTIONS] COMMAND [ARGUMENTS]');
  const bytes = standalone(command, options);
  replaceFile(output, bytes);
  if (!settings.quiet && isTerminal(2)) printError(`${printable(output)}: ${size(bytes.length)}\n`);
  return Promise.resolve(0);
}

/** All of the file or nothing, also where the old one is running. */
function replaceFile(path: string, bytes: Uint8Array): void {
  if (statSync(nodePath(path), { throwIfNoEntry: false })?.isDirectory()) throw new UsageError('--output', path, 'a file, and this is a directory');
  const fresh = `${path}.${process.pid}.new`;
  try {
    writeFileSync(nodePath(fresh), bytes, { flag: 'wx' });
    chmodSync(nodePath(fresh), 0o777 & ~process.umask());
    renameSync(nodePath(fresh), nodePath(path));
  } catch (error) {
    rmSync(nodePath(fresh), { force: true });
    throw new UsageError('--output', path, `a file that can be written (${(error as NodeJS.ErrnoException).code})`);
  }
}
