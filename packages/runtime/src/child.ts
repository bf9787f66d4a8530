import { fcntlCommands, maskHow, Memory, perform, sigaction, signals, type Step } from '@ctr/syscall';
import { groupName, planGroup } from '@ctr/cgroups';

import { setUp } from './plan.js';
import { program } from './program.js';
import { flatten } from './section.js';
import { checkSpec, type ContainerOptions, type Spec } from './spec.js';

/**
 * The child's half of a container alone, in this very process: it takes the new root, the mounts, the host name, and becomes the program. It does not return.
 * The namespaces are those the process is in: they have to be new ones (`unshare --uts --pid --mount --fork`), since what it mounts is mounted there.
 * A cgroup is made, and joined, only for limits that are asked for; nothing removes it but `collectGarbage` of @ctr/cgroups, after the end.
 *
 * Throws a `SyscallError` that names the step that failed; the process is then part way.
 *
 * @example
 * ```ts no-run
 * import { child } from '@ctr/runtime';
 * child(['sh'], { hostname: 'box' });
 * ```
 */
export function child(command: readonly [string, ...string[]], options: ContainerOptions = {}): never {
  perform(childPlan(command, options));
  throw new Error('the plan ended without a program');
}

/**
 * What {@link child} performs, for `explain`.
 *
 * @example
 * ```ts
 * import { childPlan } from '@ctr/runtime';
 * import { explain } from '@ctr/syscall';
 * console.log(explain(childPlan(['sh'])));
 * ```
 */
export function childPlan(command: readonly [string, ...string[]], options: ContainerOptions = {}): Step[] {
  for (const name of ['init', 'terminal', 'uidMap', 'gidMap'] as const)
    if (options[name]) throw new TypeError(`child has no ${name}: it is a process that exists already`);
  const spec: Spec = { ...checkSpec(command, { cgroup: options.limits !== undefined, ...options }), namespaces: around(options.namespaces) };
  const group = spec.cgroup ? planGroup(groupName(spec.name), options.limits ?? {}) : undefined;
  return [...(group?.steps ?? []), ...flatten(setUp(spec)), ...defaultSignals(), ...keepStreams(), ...program(spec)];
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
