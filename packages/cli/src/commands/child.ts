import { child as become, childPlan } from '@ctr/runtime';

import { readCommandLine } from '../command-line.js';
import { commandOf, containerOptions } from '../container-options.js';
import { printPlan } from '../dry-run.js';
import { UsageError } from '../usage-error.js';
import { announce } from './run.js';

/** `ctr child [OPTIONS] COMMAND …`: becomes the command, in the namespaces this process is in. */
export function child(args: readonly string[]): Promise<number> {
  const line = readCommandLine('child', args);
  if (!line) return Promise.resolve(0);
  const { settings, rest } = line;
  if (settings.json && !settings.dryRun) throw new UsageError('--json', undefined, 'it is for --dry-run');
  const command = commandOf('child', rest);
  const options = { ...containerOptions(settings), ...(settings.passThrough && { passThrough: true }) };
  if (settings.dryRun) {
    printPlan(childPlan(command, options), settings);
    return Promise.resolve(0);
  }
  announce(command, settings);
  return become(command, options);
}
