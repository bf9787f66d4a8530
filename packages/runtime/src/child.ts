import { writeSync } from 'node:fs';

import {
  atFlags,
  call,
  checkOptions,
  closeRangeFlags,
  compile,
  Fd,
  fcntlCommands,
  maskHow,
  memfdFlags,
  Memory,
  perform,
  sigaction,
  signals,
  type Step,
} from '@ctr/syscall';
import { groupName, planGroup, removeSteps } from '@ctr/cgroups';

import { askedLimits } from './container-group.js';
import { messages } from './failure-messages.js';
import { groupsOf } from './own-groups.js';
import { refuseNamespacesOfAll } from './own-namespaces.js';
import { setUp, withStreams } from './plan.js';
import { programOf } from './program.js';
import { ALL_SEALS } from './sealed-file.js';
import { flatten, type Section } from './section.js';
import { shown } from './shown.js';
import { checkSpec, optionNames, type ContainerOptions, type Spec } from './spec.js';
import { launcherPlan } from './standalone.js';

/** All but the standard streams: nobody else has a file open here. */
const FIRST_FD = 3;
const LAST_FD = 0xffffffff;

/** What the child's half of a container is made of. */
export interface ChildOptions extends ContainerOptions {
  /**
   * Become the program itself, with the files of this process as its standard streams, rather than the process that relays them. The program may then change their mode, owner,
   * offset and content, and read from a terminal among them. @default false
   */
  readonly passThrough?: boolean;
}

/**
 * The child's half of a container alone, in the namespaces that this process is in: a root, mounts, a host name and a program. It does not return.
 * The namespaces have to be new ones (`unshare --uts --pid --mount --fork`), since the host name is set there.
 *
 * This process becomes a launcher, as a compiled container has it ({@link standalone}): it makes the program, relays the standard streams, passes signals on, removes the cgroup,
 * and ends with the program's exit code. It cannot be the program: what is left to be delivered at the program's end would be lost with the end of pid 1 of the namespace.
 * So that the program is pid 1 all the same, and its mounts are its own, it has a pid and a mount namespace in those of this process, unless `namespaces` says `'host'`.
 *
 * With `passThrough` this process becomes the program itself, in these very namespaces, by way of a sealed file in memory that sets the container up: a hostile image must not get hold of `node`.
 * A cgroup, which is made for limits that are asked for, then stays until `collectGarbage` of @ctr/cgroups finds it.
 *
 * Throws an `Error` in the namespaces of the system's first process, which would be changed for all. Throws a `SyscallError` if the file in memory cannot be made or executed.
 * From there on the process says on stderr what fails, and ends with 125, 126 or 127.
 *
 * @example
 * ```ts no-run
 * import { child } from '@ctr/runtime';
 * child(['sh'], { hostname: 'box' });
 * ```
 */
export function child(command: readonly string[], options: ChildOptions = {}): never {
  const namespaces = around(options.namespaces);
  refuseNamespacesOfAll((['mount', 'uts'] as const).filter((kind) => namespaces[kind] === 'new'));
  const plan = childPlan(command, options);
  becomeSealed(plan);
  throw new Error('the plan ended without a program');
}

/**
 * What {@link child} does, for `explain`: the plan of the launcher, or with `passThrough` that of a process which becomes the program.
 *
 * @example
 * ```ts
 * import { childPlan } from '@ctr/runtime';
 * import { explain } from '@ctr/syscall';
 * console.log(explain(childPlan(['sh'])));
 * ```
 */
export function childPlan(command: readonly string[], options: ChildOptions = {}): Step[] {
  checkOptions('options', options, [...optionNames, 'passThrough']);
  const { passThrough = false, ...rest } = options;
  if (typeof (passThrough as unknown) !== 'boolean') throw new TypeError(`passThrough is ${shown(passThrough)}: true or false`);
  if (options.cgroupManager === 'systemd') throw new TypeError("child has no cgroupManager 'systemd': it makes its cgroup itself");
  for (const name of ['init', 'terminal', 'uidMap', 'gidMap', 'ids'] as const)
    if (options[name]) throw new TypeError(`child has no ${name}: it is a process that exists already`);
  const isAsked = options.limits !== undefined || Array.isArray(options.deviceRules);
  const spec = checkSpec(command, { cgroup: isAsked, ...rest, namespaces: around(options.namespaces) });
  if (options.mounts?.some((mount) => 'bind' in mount && mount.idMap)) throw new TypeError('child has no idMap: nobody is there to map the owners of a mount');
  const group = spec.cgroup ? planGroup(groupName(spec.name), askedLimits(spec), groupsOf(spec.cgroupParent)) : undefined;
  if (!passThrough) return launcherPlan(spec, { passThrough, makes: ['mount', 'pid'], group, numbering: [], removal: group ? removeSteps(group) : [] });
  const own = withStreams(spec, [new Fd(0, 'stdin'), new Fd(1, 'stdout'), new Fd(2, 'stderr')]).spec;
  const inside = setUp(own).map(([what, steps]): Section => [what, steps.map(allClosed)]);
  const sections: Section[] = [['a cgroup', group?.steps ?? []], ...inside];
  const execution = programOf(spec);
  return [...flatten(sections), ...execution, ...messages(sections, execution)];
}

/** Executes a plan in this very process, from a file in memory that nothing can change, without the environment of Node. */
function becomeSealed(plan: readonly Step[]): void {
  const bytes = compile(plan);
  using file = new Fd(executableMemfd(), 'ctr');
  writeSync(file.number, bytes);
  perform([
    { call: 'fcntl', args: [file, fcntlCommands.F_ADD_SEALS, ALL_SEALS], purpose: 'nobody changes it' },
    { call: 'close_range', args: [FIRST_FD, LAST_FD, closeRangeFlags.CLOSE_RANGE_CLOEXEC], purpose: 'nothing of Node is open there' },
    ...defaultSignals(),
    ...keepStreams(),
    { call: 'execveat', args: [file, '', ['ctr'], [], atFlags.AT_EMPTY_PATH], purpose: 'become what the plan makes of this process' },
  ]);
}

/** MFD_EXEC is of Linux 6.3; before, every memfd could be executed. */
function executableMemfd(): number {
  const purpose = 'an executable of the plan';
  const flags = memfdFlags.MFD_CLOEXEC | memfdFlags.MFD_ALLOW_SEALING;
  const made = call({ call: 'memfd_create', args: ['ctr', flags | memfdFlags.MFD_EXEC], purpose, tolerates: ['EINVAL'] });
  return made >= 0 ? made : call({ call: 'memfd_create', args: ['ctr', flags], purpose });
}

/** The launcher has its report channel at the first number: here a file of the set-up may have that. */
function allClosed(step: Step): Step {
  return step.call === 'close_range' ? { ...step, args: [FIRST_FD, ...step.args.slice(1)] } : step;
}

/** The kinds that the program of the original made for its child count as new ones, unless said otherwise. */
function around(given: ContainerOptions['namespaces']): Spec['namespaces'] {
  return { user: 'host', net: 'host', ipc: 'host', cgroup: 'host', time: 'host', mount: 'new', pid: 'new', uts: 'new', ...given };
}

/** Node ignores SIGPIPE and may have a mask, both of which a program would inherit. */
function defaultSignals(): Step[] {
  return [
    { call: 'rt_sigaction', args: [signals.SIGPIPE, sigaction({ sa_handler: 0 }), null, 8], purpose: 'a closed pipe ends the program, as it should' },
    { call: 'rt_sigprocmask', args: [maskHow.SIG_SETMASK, new Memory(8, 'no signals'), null, 8], purpose: 'the program gets its signals' },
  ];
}

/** Node marks its standard streams to be closed at execve. */
function keepStreams(): Step[] {
  return ['stdin', 'stdout', 'stderr'].map((name, fd) => ({ call: 'fcntl', args: [fd, fcntlCommands.F_SETFD, 0], purpose: `the program keeps ${name}` }));
}
