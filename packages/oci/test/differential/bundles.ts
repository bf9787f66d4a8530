import type { Bundle } from './bundle.js';
import { cgroupBundles, linuxBundles, namespaceBundles, seccompBundles } from './bundles/linux.js';
import { mountBundles, rootBundles } from './bundles/files.js';
import { hookBundles } from './bundles/hooks.js';
import { mixtureBundles } from './bundles/mixtures.js';
import { processBundles } from './bundles/process.js';

/** All bundles, by what they are about. */
export const bundles: Readonly<Record<string, readonly Bundle[]>> = {
  process: processBundles,
  root: rootBundles,
  mounts: mountBundles,
  namespaces: namespaceBundles,
  cgroups: cgroupBundles,
  seccomp: seccompBundles,
  linux: linuxBundles,
  hooks: hookBundles,
  mixtures: mixtureBundles,
};
