import type { LinuxResources } from '@ctr/cgroups';

import { atMost, list, map, object, since, text, word, type Schema } from '../schema/schema.js';
import { absolutePath, both, interfaceName, notEmpty, oneLine } from '../schema/texts.js';
import { cgroupsPath } from './cgroups-path.js';
import { device, type LinuxDevice } from './device.js';
import { idMappings, type LinuxIdMapping } from './id-mappings.js';
import { intelRdt, type LinuxIntelRdt } from './intel-rdt.js';
import { memoryPolicy, type LinuxMemoryPolicy } from './memory-policy.js';
import { namespaces, type LinuxNamespace } from './namespaces.js';
import { netDevice, type LinuxNetDevice } from './net-device.js';
import { personality, type LinuxPersonality } from './personality.js';
import { resources } from './resources.js';
import { seccomp, type LinuxSeccomp } from './seccomp.js';
import { timeOffsets, type LinuxTimeOffsets } from './time-offsets.js';

/** What only Linux has. @see https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md */
export interface Linux {
  /** Those that are not named are the caller's. */
  readonly namespaces?: readonly LinuxNamespace[];
  readonly uidMappings?: readonly LinuxIdMapping[];
  readonly gidMappings?: readonly LinuxIdMapping[];
  /** Needs a time namespace. 1.1 */
  readonly timeOffsets?: LinuxTimeOffsets;
  /** Devices besides those that every container has. */
  readonly devices?: readonly LinuxDevice[];
  /** Network devices of the host that the container gets, by their names there. 1.3 */
  readonly netDevices?: Readonly<Record<string, LinuxNetDevice>>;
  /** The container's control group: an absolute path is below where they are mounted; with systemd `slice:prefix:name`. */
  readonly cgroupsPath?: string;
  readonly resources?: LinuxResources;
  readonly rootfsPropagation?: LinuxRootfsPropagation;
  readonly seccomp?: LinuxSeccomp;
  /** Only those that a namespace of the container has. */
  readonly sysctl?: Readonly<Record<string, string>>;
  /** Absolute paths in the container that cannot be read. */
  readonly maskedPaths?: readonly string[];
  /** Absolute paths in the container that cannot be written. */
  readonly readonlyPaths?: readonly string[];
  /** The SELinux label of the container's mounts. */
  readonly mountLabel?: string;
  readonly personality?: LinuxPersonality;
  readonly intelRdt?: LinuxIntelRdt;
  /** 1.3 */
  readonly memoryPolicy?: LinuxMemoryPolicy;
}

/** How mounts spread from and to the root file system. The words with r, for all mounts below it, are not in the runtime-spec: docker writes them. */
export type LinuxRootfsPropagation = (typeof propagations)[number];

const propagations = ['private', 'shared', 'slave', 'unbindable', 'rprivate', 'rshared', 'rslave', 'runbindable'] as const;

const place = list(text('an absolute path', absolutePath));

export const linux: Schema<Linux> = object<Linux>({
  namespaces,
  uidMappings: idMappings,
  gidMappings: idMappings,
  timeOffsets: since('1.1', timeOffsets),
  devices: atMost(4096, list(device)),
  netDevices: since('1.3', map(netDevice, interfaceName)),
  cgroupsPath: text('a path', cgroupsPath),
  resources,
  rootfsPropagation: word(propagations),
  seccomp,
  sysctl: atMost(1024, map(text(), notEmpty)),
  maskedPaths: place,
  readonlyPaths: place,
  mountLabel: text(
    'a label',
    both(oneLine, (label) => (label.includes('"') ? 'a label without quotation marks' : undefined)),
  ),
  personality: since('1.0.2', personality),
  intelRdt,
  memoryPolicy: since('1.3', memoryPolicy),
});
