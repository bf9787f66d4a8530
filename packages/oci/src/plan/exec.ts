import type { Place } from '@ctr/cgroups';
import { control, flatten, giveTerminal, program, type Section } from '@ctr/runtime/assembly';
import { appArmorProfile, cpuAffinity, dumpable, handOverListener, oomScoreAdj, seccomp, selinuxLabel } from '@ctr/security';
import { announceExec, AT_FDCWD, openFlags, resultOf, type Fd, type Plan, type Step } from '@ctr/syscall';

import type { Config } from '../config/config.js';
import type { Process } from '../config/process.js';
import { consoleOf } from './console.js';
import { checkFilter, isLate } from './filter.js';
import { findProgram, pathOf } from './find-program.js';
import { closeOthers, keepOpen, passOn } from './gate-steps.js';
import { wayIntoContainer } from './into-container.js';
import { numbersOf } from './memory-policy.js';
import { filterOf, inheritedSettings, rights, type RightsOptions } from './rights.js';
import { startIn } from './start-in.js';
import { giveStreams, type Streams } from './streams.js';

/** What a further process of a container is made of. */
export interface ExecParts {
  readonly config: Config;
  readonly process: Process;
  /** The container's first process. */
  readonly pid: number;
  readonly pidfd: Fd;
  readonly places: readonly Place[];
  /** The group to be in, below that of the container. */
  readonly below: string;
  /** The proc of the host. */
  readonly proc: Fd;
  readonly passed: readonly Fd[];
  readonly environment: readonly string[];
  readonly streams: Streams;
  readonly warn: (message: string) => void;
}

/** The whole order of things, from the caller's process to the program. */
export function planExec(parts: ExecParts): Plan {
  const { config, process, passed, environment, proc } = parts;
  const filter = filterOf(config.linux?.seccomp, process);
  const way = wayIntoContainer(parts.pid, parts.pidfd, parts.places, parts.below);
  const options: RightsOptions = {
    proc: undefined,
    ownUsers: way.kinds.includes('user'),
    newKeyring: true,
    linux: config.linux,
    warn: parts.warn,
  };
  const uid = process.user?.uid ?? 0;
  const root: Step = {
    call: 'openat',
    args: [AT_FDCWD, '/', openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC, 0],
    purpose: "the container's root",
    as: 'root',
  };
  const console = process.terminal ? consoleOf(resultOf(root), process.consoleSize, { mount: false }) : undefined;
  const [name = '', ...args] = process.args ?? [];
  const path = pathOf(environment);
  const sections: Section[] = [
    ['the files that stay', keepOpen(passed)],
    // Processes of the container must not look into it, nor trace it, once it is among them.
    ['who may look into it', globalThis.process.geteuid?.() === 0 ? dumpable(false) : []],
    ['the OOM score', process.oomScoreAdj === undefined ? [] : oomScoreAdj(process.oomScoreAdj)],
    ['the security module', labels(process, proc)],
    ['the processors', affinity(process.execCPUAffinity?.initial)],
    ['the way into the container', way.steps],
    ['the processors', affinity(process.execCPUAffinity?.final)],
    ['the umask', [{ call: 'umask', args: [0], purpose: 'modes are as they are given' }]],
    ...inheritedSettings(process, options),
    ['the terminal', console ? [root, ...console.steps] : []],
    ['the directory to start in', startIn(process.cwd, undefined)],
    ['the standard streams', console ? giveTerminal(console.slave, uid) : giveStreams(uid, parts.streams)],
    ['the session', [{ call: 'setsid', args: [], purpose: 'a session of its own', tolerates: ['EPERM'] }, ...(console ? control(console.slave) : [])]],
    ...rights(process, options, filter ? (filter.notifies ? handOverListener(seccomp(filter)) : seccomp(filter)) : [], !isLate(filter, process)),
    ['the files that are closed', closeOthers(passed.length)],
    ['the program', findProgram(name, path)],
    [
      'the program',
      [announceExec(), ...(isLate(filter, process) ? seccomp(filter) : []), ...passOn(passed, program({ command: [name, ...args], env: environment, path }))],
    ],
  ];
  const plan = flatten(sections);
  checkFilter(filter, plan);
  return plan;
}

function labels({ apparmorProfile: profile, selinuxLabel: label }: Process, proc: Fd): Step[] {
  return [...(profile ? appArmorProfile(profile, { proc }) : []), ...(label ? selinuxLabel(label, { proc }) : [])];
}

function affinity(list: string | undefined): Step[] {
  return list ? cpuAffinity(numbersOf(list)) : [];
}
