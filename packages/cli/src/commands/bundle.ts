import { main, parseConfig, problemText, readConfigFile, toSpec } from '@ctr/oci';

import { printPlan, printPosture } from '../dry-run.js';
import { printError } from '../print.js';
import { reportFailure } from '../report-failure.js';
import type { Settings } from '../settings.js';
import { printable } from '../text.js';

/** `ctr run --oci BUNDLE`: runs what an OCI bundle describes, as ctr-oci does, or shows what that would be. Resolves to the exit code. */
export async function runBundle(bundle: string, settings: Settings): Promise<number> {
  const id = settings.name ?? `ctr-${process.pid}`;
  if (!settings.dryRun && !settings.showPosture) return main(['run', '--bundle', bundle, id], reportFailure);
  const onWarning = (text: string): void => {
    if (!settings.quiet) printError(`ctr: warning: ${printable(text)}\n`);
  };
  const config = parseConfig(readConfigFile(bundle), { onWarning: (problem) => onWarning(problemText(problem)) });
  const { plan } = toSpec(config, { bundle, id, onWarning });
  (settings.showPosture ? printPosture : printPlan)(plan, settings);
  return 0;
}
