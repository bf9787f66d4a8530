import { printable } from '@ctr/syscall';
import { cgroupManagerOf, main, parseConfig, problemText, readConfigFile, toSpec } from '@ctr/oci';

import { printPlan, printPosture } from '../dry-run.js';
import { printError } from '../print.js';
import { reportFailure } from '../report-failure.js';
import type { Settings } from '../settings.js';

/** `ctr run --oci BUNDLE`: runs what an OCI bundle describes, as ctr-oci does, or shows what that would be. Resolves to the exit code. */
export async function runBundle(bundle: string, settings: Settings): Promise<number> {
  const id = settings.name ?? `ctr-${process.pid}`;
  if (!settings.dryRun && !settings.showPosture) return main(['--cgroup-manager', managerOf(bundle, settings), 'run', '--bundle', bundle, id], reportFailure);
  const onWarning = (text: string): void => {
    if (!settings.quiet) printError(`ctr: warning: ${printable(text)}\n`);
  };
  const config = parseConfig(readConfigFile(bundle), { onWarning: (problem) => onWarning(problemText(problem)) });
  const { plan } = toSpec(config, { bundle, id, onWarning, ...(settings.cgroupManager !== undefined && { cgroupManager: settings.cgroupManager }) });
  (settings.showPosture ? printPosture : printPlan)(plan, settings);
  return 0;
}

/** Who makes its cgroup: whom the caller names, or its configuration means. */
function managerOf(bundle: string, { cgroupManager }: Settings): 'cgroupfs' | 'systemd' {
  if (cgroupManager !== undefined) return cgroupManager;
  try {
    return cgroupManagerOf(parseConfig(readConfigFile(bundle)));
  } catch {
    // It is told when the bundle is run.
    return 'cgroupfs';
  }
}
