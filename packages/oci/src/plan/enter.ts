import type { Place } from '@ctr/cgroups';
import type { Section } from '@ctr/runtime/assembly';
import { allProcessors, appArmorProfile, cpuAffinity, oomScoreAdj, selinuxLabel } from '@ctr/security';
import type { Fd, Step } from '@ctr/syscall';

import type { Config } from '../config/config.js';
import type { Process } from '../config/process.js';
import { wayIntoContainer, type GroupBelow } from './into-container.js';
import { numbersOf } from './memory-policy.js';
import { inheritedSettings, type RightsOptions } from './rights.js';

/** Who goes into a container that is there, and where it is. */
export interface EnterParts {
  readonly config: Config;
  readonly process: Process;
  /** The container's first process. */
  readonly pid: number;
  readonly pidfd: Fd;
  readonly places: readonly Place[];
  /** The group to be in, below that of the container. */
  readonly below: GroupBelow;
  /** The proc of the host. */
  readonly proc: Fd;
  readonly warn: (message: string) => void;
}

/** From the caller's process into the container, with all that comes before the user changes; and what the rights depend on that are given up there. */
export function enter({ config, process, pid, pidfd, places, below, proc, warn }: EnterParts): {
  readonly sections: readonly Section[];
  readonly options: RightsOptions;
} {
  const way = wayIntoContainer(pid, pidfd, places, below);
  const options: RightsOptions = { proc: undefined, ownUsers: way.kinds.includes('user'), newKeyring: true, linux: config.linux, warn };
  return {
    options,
    sections: [
      ['the OOM score', process.oomScoreAdj === undefined ? [] : oomScoreAdj(process.oomScoreAdj)],
      ['the security module', labels(process, proc)],
      ['the processors', affinity(process.execCPUAffinity?.initial)],
      ['the way into the container', way.steps],
      ['the processors', process.execCPUAffinity?.final ? affinity(process.execCPUAffinity.final) : allProcessors()],
      ['the umask', [{ call: 'umask', args: [0], purpose: 'modes are as they are given' }]],
      ...inheritedSettings(process, options),
    ],
  };
}

function labels({ apparmorProfile: profile, selinuxLabel: label }: Process, proc: Fd): Step[] {
  return [...(profile ? appArmorProfile(profile, { proc }) : []), ...(label ? selinuxLabel(label, { proc }) : [])];
}

function affinity(list: string | undefined): Step[] {
  return list ? cpuAffinity(numbersOf(list)) : [];
}
