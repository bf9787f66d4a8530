import { fstatSync, readdirSync, writeSync } from 'node:fs';

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
  seals,
  sigaction,
  signals,
  type Step,
} from '@ctr/syscall';
import { groupName, planGroup, removeSteps } from '@ctr/cgroups';

import { askedLimits } from './container-group.js';
import { groupsOf } from './own-groups.js';
import { refuseNamespacesOfAll } from './own-namespaces.js';
import { setUp, withStreams } from './plan.js';
import { programOf } from './program.js';
import { flatten } from './section.js';
import { shown } from './shown.js';
import { checkSpec, optionNames, type ContainerOptions, type Spec } from './spec.js';
import { launcherPlan } from './standalone.js';

/** All but the standard streams: nobody else has a file open here. */
const FIRST_FD = 3;
const LAST_FD = 0xffffffff;
const ALL_SEALS = seals.F_SEAL_SEAL | seals.F_SEAL_SHRINK | seals.F_SEAL_GROW | seals.F_SEAL_WRITE;

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
 * With `passThrough` this process becomes the program itself, in these very namespaces. A cgroup, which is made for limits that are asked for, then stays until `collectGarbage` of @ctr/cgroups finds it.
 *
 * Throws an `Error` in the namespaces of the system's first process, which would be changed for all. Throws a `SyscallError` that names the step that failed;
 * with `passThrough` the process is then part way. The launcher says on stderr what fails, and ends with 125, 126 or 127.
 *
 * @example
 * ```ts no-run
 * import { child } from '@ctr/runtime';
 * child(['sh'], { hostname: 'box' });
 * ```
 */
export function child(command: readonly [string, ...string[]], options: ChildOptions = {}): never {
  const namespaces = around(options.namespaces);
  refuseNamespacesOfAll((['mount', 'uts'] as const).filter((kind) => namespaces[kind] === 'new'));
  const plan = childPlan(command, options);
  if (options.passThrough) perform(closingFiles(plan));
  else becomeLauncher(plan);
  throw new Error('the plan ended without a program');
}

/**
 * What {@link child} does, for `explain`: the plan of the launcher, or with `passThrough` what is performed in this process, which then also closes the files between those that Node has open.
 *
 * @example
 * ```ts
 * import { childPlan } from '@ctr/runtime';
 * import { explain } from '@ctr/syscall';
 * console.log(explain(childPlan(['sh'])));
 * ```
 */
export function childPlan(command: readonly [string, ...string[]], options: ChildOptions = {}): Step[] {
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
  return [...(group?.steps ?? []), ...flatten(setUp(own, { keeper: 'none' })).map(marked), ...defaultSignals(), ...keepStreams(), ...programOf(spec)];
}

/** Executes a plan in this very process, from a file in memory that nothing can change, without the environment of Node. */
function becomeLauncher(plan: readonly Step[]): void {
  const bytes = compile(plan);
  using file = new Fd(
    call({ call: 'memfd_create', args: ['ctr', memfdFlags.MFD_CLOEXEC | memfdFlags.MFD_ALLOW_SEALING], purpose: 'an executable of the plan' }),
    'ctr',
  );
  writeSync(file.number, bytes);
  perform([
    { call: 'fcntl', args: [file, fcntlCommands.F_ADD_SEALS, ALL_SEALS], purpose: 'nobody changes it' },
    { call: 'close_range', args: [FIRST_FD, LAST_FD, closeRangeFlags.CLOSE_RANGE_CLOEXEC], purpose: 'nothing of Node is open in the launcher' },
    ...defaultSignals(),
    ...keepStreams(),
    { call: 'execveat', args: [file, '', ['ctr'], [], atFlags.AT_EMPTY_PATH], purpose: 'become the launcher' },
  ]);
}

/** If the program cannot be executed Node goes on, and needs its files: they are closed by execve. */
function marked(step: Step): Step {
  return step.call === 'close_range'
    ? { ...step, purpose: 'nothing that the set-up opened is open in the program', args: [FIRST_FD, LAST_FD, closeRangeFlags.CLOSE_RANGE_CLOEXEC] }
    : step;
}

/** A directory or a file of the host that is open while the program is looked up could be reached by a link of the image to `/proc/self/fd`. */
function closingFiles(steps: readonly Step[]): Step[] {
  const kept = [FIRST_FD - 1, ...filesOfNode(), LAST_FD + 1];
  const gaps = kept.flatMap((fd, i): Step[] => {
    const next = (kept[i + 1] ?? 0) - 1;
    return fd < next ? [{ call: 'close_range', args: [fd + 1, next, 0], purpose: 'nothing that the set-up opened is open any more' }] : [];
  });
  return steps.flatMap((step) => (step.call === 'close_range' ? [...gaps, step] : [step]));
}

/** What Node's event loop works with: pipes, sockets and the like, by which no path leads anywhere. */
function filesOfNode(): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd >= FIRST_FD && !isOfFileSystem(fd))
    .toSorted((a, b) => a - b);
}

function isOfFileSystem(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFile() || stat.isDirectory();
  } catch {
    return true;
  }
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
