import { capabilityNames } from '@ctr/security';

import { hookNames } from './config/hooks.js';
import { memoryPolicyFlags, memoryPolicyModes } from './config/memory-policy.js';
import { namespaceTypes } from './config/namespaces.js';
import { seccompActions, seccompArchitectures, seccompFlags, seccompOperators } from './config/seccomp.js';
import { mountOptionNames } from './mount-options.js';
import { appliedFields } from './support.js';
import { OCI_VERSION, OCI_VERSION_MIN } from './version.js';

/** What a runtime knows, whatever the host can do: what `features` prints. @see https://github.com/opencontainers/runtime-spec/blob/main/features.md */
export interface Features {
  readonly ociVersionMin: string;
  readonly ociVersionMax: string;
  readonly hooks: readonly string[];
  readonly mountOptions: readonly string[];
  readonly linux: LinuxFeatures;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Annotations that change what the runtime does; one that ends with a dot stands for all that begin so. */
  readonly potentiallyUnsafeConfigAnnotations?: readonly string[];
}

/** What is Linux' own of it: words that are known, and what is done with them. */
export interface LinuxFeatures {
  readonly namespaces: readonly string[];
  readonly capabilities: readonly string[];
  readonly cgroup: { readonly v1: boolean; readonly v2: boolean; readonly systemd: boolean; readonly systemdUser: boolean; readonly rdma: boolean };
  readonly seccomp: {
    readonly enabled: boolean;
    readonly actions: readonly string[];
    readonly operators: readonly string[];
    readonly archs: readonly string[];
    readonly knownFlags: readonly string[];
    readonly supportedFlags: readonly string[];
  };
  readonly apparmor: { readonly enabled: boolean };
  readonly selinux: { readonly enabled: boolean };
  readonly intelRdt: { readonly enabled: boolean; readonly schemata: boolean; readonly monitoring: boolean };
  readonly memoryPolicy: { readonly modes: readonly string[]; readonly flags: readonly string[] };
  readonly mountExtensions: { readonly idmap: { readonly enabled: boolean } };
  readonly netDevices: { readonly enabled: boolean };
}

/**
 * What is known here, made from the tables by which a config is checked. What `supportedFields` does not call applied is not enabled.
 *
 * @example
 * ```ts
 * import { features } from '@ctr/oci';
 * console.log(JSON.stringify(features(), null, 2));
 * ```
 */
export function features(): Features {
  const applied = appliedFields();
  const isApplied = (path: string): boolean => applied.has(path);
  const seccomp = isApplied('linux.seccomp');
  return {
    ociVersionMin: OCI_VERSION_MIN,
    ociVersionMax: OCI_VERSION,
    hooks: hookNames,
    mountOptions: mountOptionNames,
    linux: {
      namespaces: namespaceTypes.toSorted(),
      capabilities: capabilityNames,
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: true, rdma: isApplied('linux.resources.rdma') },
      seccomp: {
        enabled: seccomp,
        actions: seccompActions.toSorted(),
        operators: seccompOperators.toSorted(),
        archs: seccompArchitectures.toSorted(),
        knownFlags: seccompFlags.toSorted(),
        supportedFlags: seccomp ? seccompFlags.toSorted() : [],
      },
      apparmor: { enabled: isApplied('process.apparmorProfile') },
      selinux: { enabled: isApplied('process.selinuxLabel') },
      intelRdt: {
        enabled: isApplied('linux.intelRdt'),
        schemata: isApplied('linux.intelRdt.schemata'),
        monitoring: isApplied('linux.intelRdt.enableMonitoring'),
      },
      memoryPolicy: { modes: memoryPolicyModes, flags: memoryPolicyFlags },
      mountExtensions: { idmap: { enabled: isApplied('mounts[].uidMappings') } },
      netDevices: { enabled: isApplied('linux.netDevices') },
    },
  };
}
