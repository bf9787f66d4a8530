import type { CgroupLayout, PlannedGroup } from '@ctr/cgroups';
import { bindMount, idmap } from '@ctr/fs';
import { control, flatten, giveTerminal, program, waitForScope, type Section } from '@ctr/runtime/assembly';
import { allProcessors, oomScoreAdj, readCapabilities, type SeccompFilter } from '@ctr/security';
import { waitForHost, type Fd, type Plan, type ResultOf, type Step } from '@ctr/syscall';

import type { Config } from '../config/config.js';
import type { Mount } from '../config/mount.js';
import type { Process } from '../config/process.js';
import { parseMountOptions } from '../mount-options.js';
import type { Gate } from '../state/gate.js';
import type { GroupPlace } from './cgroup-mount.js';
import type { PlannedScope } from './scope.js';
import { fileSystems, type FileSystems } from './file-systems.js';
import { checkFilter, loadEarly, loadLate, maySayWhy } from './filter.js';
import { findProgram, pathOf } from './find-program.js';
import { closeOthers, GATE_FILES, keepOpen, passOn, waitAtGate } from './gate-steps.js';
import { copiesUp, sourceOf } from './mounts.js';
import { awaitNetDevices, netDevicesOf } from './net-devices.js';
import { enterNamespaces, nameNamespaces, type Namespaces } from './namespaces.js';
import { filterOf, inheritedSettings, rights, type RightsOptions } from './rights.js';
import { startIn } from './start-in.js';
import { giveStreams, type Streams } from './streams.js';

/** What a container is made of, looked up and opened. */
export interface ContainerParts {
  readonly config: Config;
  readonly process: Process;
  readonly bundle: string;
  /** The directory of the root file system on the host. */
  readonly rootfs: string;
  readonly namespaces: Namespaces;
  readonly layout: CgroupLayout;
  readonly group: PlannedGroup | undefined;
  /** What its mounts of control groups show. */
  readonly groupPlaces: readonly GroupPlace[];
  /** What systemd makes in its place, while the plan waits. */
  readonly scope: PlannedScope | undefined;
  readonly gate: Pick<Gate, 'go' | 'report'>;
  /** Of the state: it is the plan's as well until all is made, so that whoever deletes the container of a caller that was killed comes after its last step. */
  readonly lock: Fd;
  /** Files of the caller that the program has from fd 3 on. */
  readonly passed: readonly Fd[];
  /** The user namespaces by which mounts show their owners. */
  readonly mapped: ReadonlyMap<Mount, Fd>;
  /** Sources of mounts that are open, and not looked up by a path. */
  readonly sources?: ReadonlyMap<Mount, Fd>;
  readonly environment: readonly string[];
  readonly newKeyring: boolean;
  readonly pivot: boolean;
  /** Whether the terminal shows a line feed as it is, and not as CR LF. */
  readonly plainLineFeeds: boolean;
  readonly streams: Streams;
  /** Whether the host has something to do before the root changes. */
  readonly hasHooks: boolean;
  readonly warn: (message: string) => void;
}

/** What a plan waits for: a scope of systemd, the ids of its user namespace, network devices of the host, what a tmpfs begins with, all that is done before the root changes, somebody who answers a filter, the state to be kept. */
export type HostWait = 'scope' | 'ids' | 'network' | 'copy' | 'root' | 'listener' | 'state';
/** What a plan hands over to the host. */
export type HandedFile = 'copy-from' | 'copy-to' | 'console' | 'listener';

/** A plan, and what the host has to know to be its other side. */
export interface ContainerPlan {
  readonly plan: readonly [create: Plan, start: Plan];
  /** In the order in which they come. */
  readonly waits: readonly HostWait[];
  readonly files: readonly HandedFile[];
}

/** The whole order of things, from the caller's process to the program: what is done at `create`, and what at `start`. */
export function planContainer(parts: ContainerParts): ContainerPlan {
  const { config, process, namespaces, gate, passed, lock, environment } = parts;
  const filter = filterOf(config.linux?.seccomp, process);
  const [name = '', ...args] = process.args ?? [];
  const entered = wayIn(parts);
  const create = flatten([
    ['the files that stay', keepOpen([gate.go, gate.report, ...passed, lock])],
    ...entered.sections,
    ...setUp(parts, entered.opened, filter),
    ['the files that are closed', closeOthers(GATE_FILES + passed.length)],
    ['the program', findProgram(name, pathOf(environment))],
    ['the filter of system calls', loadEarly(filter)],
    ['the state', waitForHost('keep the state')],
    ['the gate', waitAtGate(gate)],
  ]);
  const start = passOn(passed, [
    ...loadLate(filter),
    ...program({ command: [name, ...args], env: environment, path: pathOf(environment) }, { saysWhy: maySayWhy(filter) }),
  ]);
  checkFilter(filter, [...create, ...start]);
  const copies = namespaces.has('mount') ? (config.mounts ?? []).filter(copiesUp) : [];
  return {
    plan: [create, start],
    waits: [
      ...(parts.scope ? ['scope' as const] : []),
      ...(namespaces.isNew('user') ? ['ids' as const] : []),
      ...(netDevicesOf(config).length > 0 ? ['network' as const] : []),
      ...copies.map(() => 'copy' as const),
      ...(parts.hasHooks ? ['root' as const] : []),
      ...(filter?.notifies ? ['listener' as const] : []),
      'state',
    ],
    files: [
      ...copies.flatMap(() => ['copy-from', 'copy-to'] as const),
      ...(process.terminal ? ['console' as const] : []),
      ...(filter?.notifies ? ['listener' as const] : []),
    ],
  };
}

/** What the caller's process does, until it goes on in the container's first one. */
function wayIn({ config, process, bundle, namespaces, group, scope, mapped, sources: open }: ContainerParts): {
  readonly sections: readonly Section[];
  readonly opened: ReadonlyMap<Mount, ResultOf>;
} {
  // Who has become another user may not be born elsewhere.
  const isBorn = group?.unified !== undefined && !namespaces.has('user');
  // Who has opened the files is asked for the right to join by them, cgroups(7); the first process alone is counted then.
  const [opening, joining] = [true, false].map((isOpening) => (isBorn ? group.joinV1.filter(({ call }) => (call === 'openat') === isOpening) : [])) as [
    Step[],
    Step[],
  ];
  const opened = new Map<Mount, ResultOf>();
  const sources: Step[] = [];
  // Who has no such right reaches as much from within the namespace: the sources are looked up there.
  const mayMount = readCapabilities().effective.includes('CAP_SYS_ADMIN');
  const opens = namespaces.isNew('user') && mayMount;
  for (const mount of config.mounts ?? []) {
    const { bind, idmap: mapping } = parseMountOptions(mount.options ?? []);
    const users = mapped.get(mount);
    const source = mayMount ? open?.get(mount) : undefined;
    if (!bind || (!users && !opens && !source)) continue;
    const made = bindMount(source ?? sourceOf(mount, bundle), { recursive: bind.recursive, purpose: `a mount of ${mount.source ?? ''}` });
    sources.push(...made.steps, ...(users ? idmap(made.mount, users, { recursive: mapping?.recursive ?? false }) : []));
    opened.set(mount, made.mount);
  }
  // Paths of the configuration are those of a mount namespace that is joined.
  const isElsewhere = namespaces.joined.has('mount');
  return {
    sections: [
      ['the scope', scope ? waitForScope(`the scope ${scope.unit} of systemd${scope.slice === undefined ? '' : ` in ${scope.slice}`}`, scope.limits) : []],
      ['the cgroup', !group ? [] : isBorn ? [...group.create, ...opening] : group.steps],
      ['the OOM score', process.oomScoreAdj === undefined ? [] : oomScoreAdj(process.oomScoreAdj)],
      ['the sources of mounts, which the namespace may not reach', isElsewhere ? [] : sources],
      ...enterNamespaces(config, namespaces, isBorn ? group?.unified : undefined, joining, isHidden(namespaces)),
      ['the sources of mounts', isElsewhere ? sources : []],
      ['the files of the cgroup', group && isBorn ? group.close : []],
    ],
    opened,
  };
}

/**
 * Whether the process is undumpable from the beginning. Processes of a joined namespace could trace it otherwise. Where nothing is joined, only an ancestor of the
 * container can see the process while the container is made, and hooks of an ordinary user need `/proc/PID/ns`: the process becomes undumpable with {@link rights} then,
 * before anything of the image can run.
 */
function isHidden({ joined, has }: Namespaces): boolean {
  return joined.size > 0 || (globalThis.process.geteuid?.() === 0 && !has('user'));
}

/** What the container's first process does before the program, in its new namespaces. */
function setUp(parts: ContainerParts, opened: ReadonlyMap<Mount, ResultOf>, filter: SeccompFilter | undefined): Section[] {
  const { config, process, namespaces, newKeyring, warn } = parts;
  const inside: FileSystems = namespaces.has('mount') ? fileSystems(parts, opened) : { sections: [], console: undefined, proc: undefined, cwd: undefined };
  const options: RightsOptions = { proc: inside.proc, ownUsers: namespaces.has('user'), newKeyring, linux: config.linux, warn };
  const uid = process.user?.uid ?? 0;
  return [
    ['the network devices', awaitNetDevices(netDevicesOf(config))],
    ['the processors', allProcessors()],
    ['the umask', [{ call: 'umask', args: [0], purpose: 'modes are as they are given' }]],
    ...nameNamespaces(config, namespaces),
    ...inside.sections,
    ...inheritedSettings(process, options),
    ['the directory to start in', startIn(process.cwd, inside.cwd)],
    ['the standard streams', inside.console ? giveTerminal(inside.console.slave, uid) : giveStreams(uid, parts.streams)],
    [
      'the session',
      [{ call: 'setsid', args: [], purpose: 'a session of its own', tolerates: ['EPERM'] }, ...(inside.console ? control(inside.console.slave) : [])],
    ],
    ...rights(process, options, filter !== undefined),
  ];
}
