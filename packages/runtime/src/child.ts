import { fstatSync, readdirSync } from 'node:fs';

import { closeRangeFlags, fcntlCommands, maskHow, Memory, perform, sigaction, signals, type Step } from '@ctr/syscall';
import { groupName, planGroup } from '@ctr/cgroups';

import { askedLimits } from './container-group.js';
import { groupsOf } from './own-groups.js';
import { refuseNamespacesOfAll } from './own-namespaces.js';
import { setUp } from './plan.js';
import { programOf } from './program.js';
import { flatten } from './section.js';
import { checkSpec, type ContainerOptions, type Spec } from './spec.js';

/** All but the standard streams: nobody else has a file open here. */
const FIRST_FD = 3;
const LAST_FD = 0xffffffff;

/**
 * The child's half of a container alone, in this very process: it takes the new root, the mounts, the host name, and becomes the program. It does not return.
 * The namespaces are those the process is in: they have to be new ones (`unshare --uts --pid --mount --fork`), since what it mounts is mounted there.
 * A cgroup is made, and joined, only for limits that are asked for; nothing removes it but `collectGarbage` of @ctr/cgroups, after the end.
 *
 * Throws an `Error` in the namespaces of the system's first process, which would be changed for all. Throws a `SyscallError` that names the step that failed;
 * the process is then part way.
 *
 * @example
 * ```ts no-run
 * import { child } from '@ctr/runtime';
 * child(['sh'], { hostname: 'box' });
 * ```
 */
export function child(command: readonly [string, ...string[]], options: ContainerOptions = {}): never {
  const namespaces = around(options.namespaces);
  refuseNamespacesOfAll((['mount', 'uts'] as const).filter((kind) => namespaces[kind] === 'new'));
  perform(closingFiles(childPlan(command, options)));
  throw new Error('the plan ended without a program');
}

/**
 * What {@link child} performs, for `explain`; between the files that Node itself has open it closes all others, too.
 *
 * @example
 * ```ts
 * import { childPlan } from '@ctr/runtime';
 * import { explain } from '@ctr/syscall';
 * console.log(explain(childPlan(['sh'])));
 * ```
 */
export function childPlan(command: readonly [string, ...string[]], options: ContainerOptions = {}): Step[] {
  if (options.cgroupManager === 'systemd') throw new TypeError("child has no cgroupManager 'systemd': it makes its cgroup itself");
  for (const name of ['init', 'terminal', 'uidMap', 'gidMap', 'ids'] as const)
    if (options[name]) throw new TypeError(`child has no ${name}: it is a process that exists already`);
  const isAsked = options.limits !== undefined || Array.isArray(options.deviceRules);
  const spec = checkSpec(command, { cgroup: isAsked, ...options, namespaces: around(options.namespaces) });
  if (options.mounts?.some((mount) => 'bind' in mount && mount.idMap)) throw new TypeError('child has no idMap: nobody is there to map the owners of a mount');
  const group = spec.cgroup ? planGroup(groupName(spec.name), askedLimits(spec), groupsOf(spec.cgroupParent)) : undefined;
  return [...(group?.steps ?? []), ...flatten(setUp(spec, { keeper: 'none' })).map(marked), ...defaultSignals(), ...keepStreams(), ...programOf(spec)];
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
