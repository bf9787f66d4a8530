import { removeSteps, type PlannedGroup } from '@ctr/cgroups';
import { create, createFlags, type Namespace } from '@ctr/namespaces';
import {
  checkOptions,
  cloneFlags,
  compile,
  dieWithHost,
  fcntlCommands,
  label,
  Memory,
  openFlags,
  prctlOptions,
  registerWithKeeper,
  resultOf,
  sigaction,
  signals,
  type ResultOf,
  type Step,
} from '@ctr/syscall';

import { planOwnGroup } from './container-group.js';
import { messages } from './failure-messages.js';
import { launcherKeeper } from './launcher-keeper.js';
import { nameForPid, putOwnPid } from './own-pid.js';
import { enter, isNew, joined, mapsOfHost, newKinds, setUp, userNamespace } from './plan.js';
import { programOf } from './program.js';
import { LauncherStreams } from './relay/launcher-streams.js';
import { runFromSealedFile } from './sealed-file.js';
import { flatten, type Section } from './section.js';
import { shown } from './shown.js';
import { checkSpec, optionNames, type ContainerOptions, type Spec } from './spec.js';
import { heldNull } from './streams.js';
import { defaultSignals, holdSignals, releaseSignals, supervise } from './supervise.js';

/** What the plan of a launcher is made of. */
export interface LauncherOptions extends ContainerOptions {
  /**
   * Hand the files of the caller over as the standard streams, rather than pipes and relays. The program may then change their mode, owner, offset and content,
   * and read from a terminal among them. @default false
   */
  readonly passThrough?: boolean;
}

/**
 * A container as an executable of a few kilobytes that needs no Node: it starts the container, relays its own standard streams, passes signals on,
 * waits for the end, removes the cgroup, and ends with the program's exit code (125 if the container could not be set up, 126 and 127 as a shell has them).
 *
 * What the plan says of the host (its directories, its cgroups) is what is there now.
 * Throws a `TypeError` for what needs a host that stays: a terminal, and id maps of more than the caller's own id.
 *
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs';
 * import { standalone } from '@ctr/runtime';
 * writeFileSync('/tmp/hello', standalone(['echo', 'hello']), { mode: 0o755 });
 * ```
 */
export function standalone(command: readonly string[], options: LauncherOptions = {}): Uint8Array {
  return compile(standalonePlan(command, options), { packed: true });
}

/**
 * The plan of {@link standalone}, for `explain`.
 *
 * @example
 * ```ts
 * import { standalonePlan } from '@ctr/runtime';
 * import { explain } from '@ctr/syscall';
 * console.log(explain(standalonePlan(['true'])));
 * ```
 */
export function standalonePlan(command: readonly string[], options: LauncherOptions = {}): Step[] {
  checkOptions('options', options, [...optionNames, 'passThrough']);
  const { passThrough = false, ...rest } = options;
  if (typeof (passThrough as unknown) !== 'boolean') throw new TypeError(`passThrough is ${shown(passThrough)}: true or false`);
  const spec = checkSpec(command, rest);
  if (spec.terminal) throw new TypeError('a compiled container has no terminal of its own: it passes the streams of its caller on');
  if (spec.cgroupManager === 'systemd')
    throw new TypeError('a compiled container has nobody to ask systemd: its cgroup is made by itself, without cgroupManager');
  if (mapsOfHost(spec)) throw new TypeError('a compiled container has nobody to map its ids: only the own id of an ordinary user can be mapped');
  const name = nameForPid(spec.name ?? 'ctr');
  const group = planOwnGroup(spec, name);
  const removal = group ? removeSteps(group) : [];
  const numbering = group && group.directories.length > 0 ? putOwnPid(name, [...group.steps, ...removal]) : [];
  return launcherPlan(spec, { passThrough, group, numbering, removal });
}

/** What a launcher needs beside a container. */
interface LauncherParts {
  readonly passThrough: boolean;
  /** The namespaces that it makes, if they are to be new: the others that count as new are there already. @default all */
  readonly makes?: readonly Namespace[];
  readonly group: PlannedGroup | undefined;
  /** What puts the pid of the launcher into the name of the group. */
  readonly numbering: readonly Step[];
  readonly removal: readonly Step[];
}

/** A process that starts a container, waits for its end, and ends as it does; and the relays of its streams. */
export function launcherPlan(checked: Spec, { passThrough, makes, group, numbering, removal }: LauncherParts): Step[] {
  const streams = new LauncherStreams(passThrough);
  const spec: Spec = passThrough ? { ...checked, streams: ['given', 'given', 'given'] } : checked;
  const report = new Memory(8, 'report');
  const ended = new Memory(16, 'status');
  const ends = new Memory(8, 'ends');
  const inside = label('the process that goes into the container');
  const over = label('the container has ended');
  const supervision = supervise(report.i32(4), ended, { alone: true, isJob: true });
  const keeper = launcherKeeper();
  const channel: Step = {
    call: 'fcntl',
    args: [ends.i32(0), fcntlCommands.F_DUPFD_CLOEXEC, 10],
    purpose: 'the end that is read, out of the way',
    as: 'channel',
  };
  const writer: Step = { call: 'fcntl', args: [ends.i32(4), fcntlCommands.F_DUPFD_CLOEXEC, 10], purpose: 'the end that is written, too', as: 'writer' };
  const around: Around = { inside, over, channel: resultOf(channel), report, ended, alive: supervision[0] as Step };
  const way = !makes && joined(spec).length > 0 ? byWayOfAnother(spec, around) : straight(spec, makes, around);
  const sections: Section[] = [
    ['the sealed executable', runFromSealedFile()],
    ['the signals', [waitableChildren()]],
    ['the standard streams', streams.look()],
    // The keeper holds back the signals that this process passes on, too. It has nothing of the pipes, which are made after it.
    ['the tie to the host', [holdSignals({ isJob: true }), ...keeper.begin]],
    ['the standard streams', [...streams.begin(), ...(isNew(spec, 'mount') ? [] : heldNull(spec.streams, streams.isNull))]],
    [
      'a channel',
      [
        { call: 'pipe2', args: [ends, openFlags.O_CLOEXEC], purpose: 'by which the container knows whether this process lives' },
        channel,
        writer,
        // A second file of an end, in whichever process, would keep the pipe open when the other one is gone.
        { call: 'close', args: [ends.i32(0)], purpose: 'one file for each end' },
        { call: 'close', args: [ends.i32(4)], purpose: 'one file for each end' },
        { call: 'dup3', args: [resultOf(writer), 3, openFlags.O_CLOEXEC], purpose: 'the end that is written, where the plan has it' },
        { call: 'close', args: [resultOf(writer)], purpose: 'one file for each end' },
      ],
    ],
    ['a cgroup', [...numbering, ...(group?.create ?? [])]],
    ...way.before,
    [
      'a process in new namespaces',
      [
        way.clone,
        { call: 'close', args: [3], purpose: 'only the container writes' },
        ...streams.handedOver(),
        ...(isNew(spec, 'pid') ? [] : [undumpable()]),
        ...way.settled,
        ...supervision,
        over,
        ...removal,
        // Whoever waits for all relays must not wait for the keeper.
        ...keeper.end,
        ...streams.end(ended),
        inside,
        ...streams.inside(),
        { call: 'close', args: [resultOf(channel)], purpose: 'only the launcher reads' },
        ...defaultSignals(),
        releaseSignals(),
      ],
    ],
    ['a cgroup', [...(group?.join ?? []), ...(group?.close ?? [])]],
    ...way.after,
    ...setUp(spec, { keeper: registerWithKeeper({ ...(isNew(spec, 'pid') && { pid: 1 }) }), isNull: streams.isNull }),
  ];
  const execution = programOf(spec);
  return [...flatten(sections), ...execution, ...streams.relaying, ...messages(sections, execution, streams.relaying)];
}

/** A caller may ignore SIGCHLD, which a process inherits: the kernel then reaps its children itself, and no signal tells of their end. */
function waitableChildren(): Step {
  return { call: 'rt_sigaction', args: [signals.SIGCHLD, sigaction({ sa_handler: 0 }), null, 8], purpose: 'the end of a child is told, and can be waited for' };
}

/** It has the files of the caller: the program, if it is in the same pid namespace, must not find them there. */
function undumpable(): Step {
  return { call: 'prctl', args: [prctlOptions.PR_SET_DUMPABLE, 0, 0, 0, 0], purpose: 'no process looks into this one' };
}

/** What the two ways into a container need of the launcher. */
interface Around {
  /** Where the process that goes into the container goes on. */
  readonly inside: Step;
  /** Where the launcher goes on when the container runs, and after its end. */
  readonly alive: Step;
  readonly over: Step;
  readonly channel: ResultOf;
  /** A report of the first process; its second number is the pid. */
  readonly report: Memory;
  readonly ended: Memory;
}

/** A way from the launcher to the container's first process. */
interface Way {
  /** What the launcher does before. */
  readonly before: readonly Section[];
  readonly clone: Step;
  /** What the launcher does until it knows the pid. */
  readonly settled: readonly Step[];
  /** What the new process does once it is in the cgroup. */
  readonly after: readonly Section[];
}

/**
 * The launcher's child is the container's first process. The cgroup namespace comes after the cgroup, whose place is to be its root.
 * The two share their memory until the program begins, unless an init outlives the set-up: what runs in the container may look into that.
 */
function straight(spec: Spec, makes: readonly Namespace[] | undefined, { inside, report }: Around): Way {
  const stack = new Memory(64, 'stack');
  const made = (kind: Namespace): boolean => makes?.includes(kind) ?? true;
  const withTime = isNew(spec, 'time') && made('time');
  const copied = withTime || spec.init || !isNew(spec, 'pid');
  const kinds = newKinds(spec).filter(made);
  const flags = createFlags(kinds.filter((kind) => kind !== 'cgroup')) | cloneFlags.CLONE_PARENT_SETTID | (copied ? 0 : cloneFlags.CLONE_VM);
  return {
    before: [
      ['a user namespace', made('user') ? userNamespace(spec) : []],
      ['new namespaces', withTime ? create('time') : []],
    ],
    clone: {
      call: 'clone',
      args: [flags | signals.SIGCHLD, copied ? null : stack, report.at(4), null, null],
      purpose: 'the first process of the container, in new namespaces',
      jump: { when: '==', to: inside },
    },
    settled: [],
    after: [
      ['new namespaces', kinds.includes('cgroup') ? create('cgroup') : []],
      ['the tie to the host', dieWithHost()],
    ],
  };
}

/** A process between the two joins the namespaces that are there already, and the launcher stays where it is: it has a cgroup to remove. */
function byWayOfAnother(spec: Spec, { inside, alive, over, channel, report, ended }: Around): Way {
  const clone: Step = {
    call: 'clone',
    args: [signals.SIGCHLD, 0, null, null, null],
    purpose: 'a process that goes into the container',
    jump: { when: '==', to: inside },
  };
  return {
    before: [],
    clone,
    settled: [
      {
        call: 'read',
        args: [channel, report, 8],
        purpose: 'the pid of the first process, or its end',
        tolerates: ['EINTR'],
        jump: { when: '==', than: 8, to: alive },
      },
      { call: 'wait4', args: [resultOf(clone), ended, 0, null], purpose: 'the container could not be set up: how did it end?', jump: { when: '!=', to: over } },
    ],
    after: enter(spec),
  };
}
