import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { main, parseConfig, problemText, toSpec } from '@ctr/oci';

import { printPlan, printPosture } from '../dry-run.js';
import { printError } from '../print.js';
import { noSettings, type Settings } from '../settings.js';
import { printable } from '../text.js';
import { UsageError } from '../usage-error.js';

/** What can be said besides the bundle, which says all of the container itself. */
const besides = new Set<keyof Settings>(['oci', 'name', 'quiet', 'dryRun', 'showPosture', 'json']);

/** `ctr run --oci BUNDLE`: runs what an OCI bundle describes, as ctr-oci does, or shows what that would be. Resolves to the exit code. */
export async function runBundle(bundle: string, settings: Settings, words: readonly string[]): Promise<number> {
  const none = noSettings();
  const more = (Object.keys(settings) as (keyof Settings)[]).filter((key) => !besides.has(key) && JSON.stringify(settings[key]) !== JSON.stringify(none[key]));
  if (words.length > 0 || more.length > 0)
    throw new UsageError('--oci', undefined, 'the bundle says what runs and how: beside it there may be --dry-run, --show-posture, --json, --name and --quiet');
  const id = settings.name ?? `ctr-${process.pid}`;
  if (!settings.dryRun && !settings.showPosture) return main(['run', '--bundle', bundle, id]);
  const onWarning = (text: string): void => {
    if (!settings.quiet) printError(`ctr: warning: ${printable(text)}\n`);
  };
  const config = parseConfig(readFileSync(join(bundle, 'config.json')), { onWarning: (problem) => onWarning(problemText(problem)) });
  const { plan } = toSpec(config, { bundle, id, onWarning });
  (settings.showPosture ? printPosture : printPlan)(plan, settings);
  return 0;
}
