import { noSettings, type Settings } from './settings.js';
import { UsageError } from './usage-error.js';

/** What can be said besides the bundle, which says all of the container itself. */
const besides = new Set<keyof Settings>(['oci', 'name', 'cgroupManager', 'quiet', 'dryRun', 'showPosture', 'json']);

/** Refuses whatever else is said of a container that a bundle describes. */
export function checkBesideBundle(settings: Settings, words: readonly string[]): void {
  const none = noSettings();
  const more = (Object.keys(settings) as (keyof Settings)[]).filter((key) => !besides.has(key) && JSON.stringify(settings[key]) !== JSON.stringify(none[key]));
  if (words.length > 0 || more.length > 0)
    throw new UsageError(
      '--oci',
      undefined,
      'the bundle says what runs and how: beside it there may be --dry-run, --show-posture, --json, --name, --cgroup-manager and --quiet',
    );
}
