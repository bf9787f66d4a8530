import { groupName, type PlannedGroup } from '@ctr/cgroups';
import {
  attach,
  bind,
  bindMount,
  dev,
  inRoot,
  knownMounts,
  type KnownMounts,
  mask,
  openPlace,
  pivotRoot,
  procMount,
  propagation,
  readonlyPath,
  setAttributes,
  sysfsMount,
  tmpfsMount,
  type Handle,
  type Place,
} from '@ctr/fs';
import { create, createFlags, hostname, join, joinPath, loopbackUp, mapOwnIds, type IdMaps, type Namespace } from '@ctr/namespaces';
import {
  announceExec,
  AT_FDCWD,
  continueInChild,
  currentIds,
  dieWithHost,
  KEEPER_FD,
  openFlags,
  openHow,
  prctlOptions,
  registerWithKeeper,
  resolveFlags,
  resultOf,
  stayInCharge,
  waitForHost,
  type Registration,
  type LaunchStdio,
  type Memory,
  type Plan,
  type ResultOf,
  type Step,
} from '@ctr/syscall';
import { allProcessors, becomeUser, type SeccompFilter } from '@ctr/security';

import { planOwnGroup, withoutLimits } from './container-group.js';
import { planScope, type PlannedScope } from './container-scope.js';
import { bindPurpose, mapped, mappedMount, openMapped } from './id-mapped-mounts.js';
import { checkIsMapped, hasId, idMapsOf, idMapsText, isOwnAlone } from './ids.js';
import { init } from './init.js';
import { isInUserNamespace, ownIdRanges } from './own-user-namespace.js';
import { checkNames } from './others-words.js';
import { programOf } from './program.js';
import { checkFilter, rights } from './rights.js';
import { rootfs, type Root } from './rootfs.js';
import { mountTableVersion } from './host-mounts.js';
import { flatten, type Section } from './section.js';
import { checkSpec, optionNames, type CheckedMount, type ContainerOptions, type NamespaceChoice, type Spec } from './spec.js';
import { maskedSystemPaths, readonlySystemPaths } from './system-paths.js';
import { checkStdio, describeStreams, heldNull, ownNull, streamsOf, threeOf, type Stream, type StreamChoice, type Three } from './streams.js';
import { sysctlSteps } from './sysctls.js';
import { control, giveTerminal, terminal, type Terminal } from './terminal.js';
import { userland, type UserlandOptions } from './userland.js';

/** A plan, and what the host has to know to carry it out and to clean up after it. */
export interface ContainerPlan {
  readonly spec: Spec;
  /** The cgroup, the way into the container, the program: each refers to its own steps only. */
  readonly parts: readonly Plan[];
  readonly group: PlannedGroup | undefined;
  /** What systemd is asked for in the place of a group, while the plan waits for it. */
  readonly scope: PlannedScope | undefined;
  /** Id maps that the host writes while the plan waits for it. */
  readonly idMaps: IdMaps | undefined;
}

/** What a plan is made of. */
export interface PlanOptions extends ContainerOptions {
  /** The standard streams as `start` takes them: the files of this process are looked at for `'inherit'`. @default relayed, whatever they are */
  readonly stdio?: LaunchStdio | readonly [LaunchStdio, LaunchStdio, LaunchStdio];
}

/**
 * The plan of a container, not run: for `explain`, for tests and reviews. It looks at the host (which directories there are, which cgroups) and changes nothing.
 *
 * Throws a `TypeError` or `RangeError` for options that cannot be, and an `Error` for what the host does not offer.
 *
 * @example
 * ```ts
 * import { plan } from '@ctr/runtime';
 * import { explain } from '@ctr/syscall';
 * console.log(explain(plan(['hostname'], { hostname: 'box' })));
 * ```
 */
export function plan(command: readonly string[], options: PlanOptions = {}): Plan {
  checkNames('options', options, [...optionNames, 'stdio']);
  const { stdio, ...rest } = options;
  if (stdio !== undefined) checkStdio(stdio, ['inherit', 'ignore']);
  const spec = checkSpec(command, rest);
  return planContainer(stdio === undefined ? spec : withStreams(spec, stdio).spec).parts.flat();
}

/** A container whose standard streams have been looked at. Throws a `TypeError` for what can be none. */
export function withStreams(spec: Spec, stdio: StreamChoice | Three<StreamChoice>): { readonly spec: Spec; readonly streams: Three<Stream> } {
  const given: Three<StreamChoice> = spec.terminal ? ['ignore', 'ignore', 'ignore'] : threeOf(stdio);
  const streams = streamsOf(given);
  return { spec: { ...spec, streams: [streams[0].kind, streams[1].kind, streams[2].kind] }, streams };
}

/** The whole order of things, from the caller's process to the program. */
export function planContainer(spec: Spec): ContainerPlan {
  const scope = planScope(spec);
  const group = scope ? undefined : planOwnGroup(spec, groupName(spec.name));
  const last = [announceExec(), ...programOf(spec)];
  const made = group ? [...group.create, ...groupKill(spec, group)] : [];
  const kills = group !== undefined && killsGroup(spec, group);
  const parts =
    group && entersAlone(spec, group)
      ? [
          [...made, ...opening(group), ...flatten(enter(spec, { group, keeper: registration(spec, kills) })), ...group.close, ...withoutLimits(spec, group)],
          wayIn(spec, true, kills),
          last,
        ]
      : [[...(scope?.steps ?? []), ...made, ...(group?.join ?? []), ...(group?.close ?? []), ...withoutLimits(spec, group)], wayIn(spec, false, kills), last];
  return { spec, parts, group, scope, idMaps: mapsOfHost(spec) };
}

/** The fd of `cgroup.kill` until the keeper has it: above those that a plan has open by then. */
const GROUP_KILL_FD = 60;

/** Whether the keeper kills the whole group: where pids are shared, the end of the first process does not end the others. A group of v1 has no such file. */
function killsGroup(spec: Spec, { unified }: PlannedGroup): boolean {
  return unified !== undefined && !isNew(spec, 'pid');
}

/** @see Documentation/admin-guide/cgroup-v2.rst of the kernel: cgroup.kill */
function groupKill(spec: Spec, group: PlannedGroup): Step[] {
  if (!group.unified || !killsGroup(spec, group)) return [];
  const open: Step = {
    call: 'openat',
    args: [group.unified, 'cgroup.kill', openFlags.O_WRONLY | openFlags.O_CLOEXEC, 0],
    purpose: 'the file by which the keeper kills the group',
    as: 'cgroup_kill',
  };
  return [
    open,
    { call: 'dup3', args: [resultOf(open), GROUP_KILL_FD, openFlags.O_CLOEXEC], purpose: 'where the later steps have it' },
    { call: 'close', args: [resultOf(open)], purpose: 'one file is enough' },
  ];
}

const filters = new WeakMap<SeccompFilter, number>();
let filterCount = 0;

const hardeningKeys = new WeakMap<Spec['hardening'], string>();

/** What tells one posture from another, as text: a filter, which is kept once compiled, by a number. */
function keyOf(hardening: Spec['hardening']): string {
  const known = hardeningKeys.get(hardening);
  if (known !== undefined) return known;
  const { filter, ...rest } = hardening;
  let number = filter && filters.get(filter);
  if (filter && number === undefined) filters.set(filter, (number = ++filterCount));
  const key = `${number ?? 'none'} ${JSON.stringify(rest, replacer)}`;
  hardeningKeys.set(hardening, key);
  return key;
}

/** Limits may be of more than 53 bits. */
function replacer(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}

const waysIn = new Map<string, readonly Step[]>();
const MAX_WAYS_IN = 32;

/**
 * All that lies between the cgroup, or the process that is born in it, and the program: the same for containers that differ only in these two, and long. It is kept,
 * since making some two hundred steps takes as long as half of their calls.
 */
function wayIn(spec: Spec, entered: boolean, kills: boolean): readonly Step[] {
  const {
    command: _command,
    env: _env,
    path: _path,
    limits: _limits,
    cgroup: _cgroup,
    cgroupParent: _parent,
    cgroupManager: _manager,
    measure: _measure,
    name: _name,
    hardening,
    ...rest
  } = spec;
  // What is mounted below the host's programs is in the steps.
  const mountTable = spec.rootfs === undefined && isNew(spec, 'mount') ? mountTableVersion() : 0;
  const key = JSON.stringify([rest, keyOf(hardening), entered, kills, mountTable, currentIds()]);
  const known = waysIn.get(key);
  if (known) return known;
  if (waysIn.size >= MAX_WAYS_IN) waysIn.clear();
  const stays: Section = ['the process that stays', spec.init ? [stayInCharge()] : []];
  const keeper = registration(spec, kills);
  const steps = Object.freeze(flatten([...(entered ? [] : enter(spec, { keeper })), stays, ...setUp(spec, { keeper, kills })]));
  waysIn.set(key, steps);
  return steps;
}

/**
 * Whether the container's first process is the only one that is ever in its group: it is born there, or joins by files that the process before has opened, as only version 1
 * allows from everywhere. Else that one joins as well, and counts for the limits until it has been waited for; so it is with mounts that are made before the namespaces,
 * since what attaches them then is kept for other containers.
 */
function entersAlone(spec: Spec, { cgroup, places }: PlannedGroup): boolean {
  if (cgroup) return canBeBornIn(spec);
  return places.length > 0 && places.every(({ version }) => version === 1) && mapped(spec).length === 0;
}

/** The files by which the first process joins. Who has opened them is asked for the right to it, cgroups(7): in its user namespace that process may have none. */
function opening({ cgroup, join }: PlannedGroup): Step[] {
  return cgroup ? [] : join.filter(({ call }) => call === 'openat');
}

/** The rest of it. */
function joining({ cgroup, join }: PlannedGroup): Step[] {
  return cgroup ? [] : join.filter(({ call }) => call !== 'openat');
}

/**
 * Whether the kernel lets a process of the container be born in a group that the caller has made. From namespaces that are joined the group may not be seen, and
 * as root of a user namespace whose ids the host maps, the process is nobody who may write it: there, the first process joins the group before all that.
 */
function canBeBornIn(spec: Spec): boolean {
  return !mapsOfHost(spec) && Object.values(spec.namespaces).every((choice) => typeof choice === 'string');
}

/** How a container is entered. */
export interface EnterOptions {
  /** The one that the container's first process is born in, or joins by files that are open. */
  readonly group?: PlannedGroup;
  /** How the container registers with a keeper, to which it may make a way ahead. @default by the way that is there, or not at all */
  readonly keeper?: Registration;
}

/** The way into the namespaces: the plan goes on in the container's first process. */
export function enter(spec: Spec, { group, keeper }: EnterOptions = {}): Section[] {
  const copied = isNew(spec, 'time');
  const cgroup = group?.cgroup;
  // A cgroup namespace begins at the group of the process that makes it: the one that is in the group makes it.
  const kinds = newKinds(spec).filter((kind) => !group || kind !== 'cgroup');
  return [
    ['the standard streams', isNew(spec, 'mount') ? [] : heldNull(spec.streams)],
    ['the mounts whose owners are mapped', isNew(spec, 'user') ? openMapped(spec) : []],
    // With the rights of the caller: see `ahead` of KeeperOptions.
    ['the tie to the host', keeper?.prepare ?? []],
    ['a user namespace', userNamespace(spec)],
    ['the namespaces to join', joined(spec)],
    [
      'new namespaces',
      [
        ...(copied ? create('time') : []),
        ...continueInChild({ namespaces: createFlags(kinds), memory: copied ? 'copied' : 'shared', ...(cgroup && { cgroup }) }),
        ...(group ? joining(group) : []),
        ...(kinds.length < newKinds(spec).length ? create('cgroup') : []),
      ],
    ],
    ['the tie to the host', dieWithHost()],
  ];
}

/**
 * Whether the program registers, and not the container's first process. The end of an init process ends the program in a pid namespace of its own, or by their group.
 * Elsewhere the program is what has to be kept: no other can untie the init process.
 */
function registersLate(spec: Spec, kills: boolean): boolean {
  return spec.init && !isNew(spec, 'pid') && !kills;
}

/** How a container registers with the keeper of a host: ahead, where it has not the rights of the caller any more when it registers. */
function registration(spec: Spec, kills: boolean): Registration {
  return registerWithKeeper({
    ...(isNew(spec, 'pid') && { pid: 1 }),
    ...(kills && { cgroupKill: GROUP_KILL_FD }),
    ahead: spec.namespaces.user !== 'host' || registersLate(spec, kills),
  });
}

/** How a container is set up. */
export interface SetUpOptions {
  /** How the container registers with a keeper. One that is in its caller's namespaces alone has none. @default not */
  readonly keeper?: Registration;
  /** Whether the keeper gets the file `cgroup.kill` of the container's group. @default false */
  readonly kills?: boolean;
  /** Which streams have the null device behind them, where that is known only as the plan runs. */
  readonly isNull?: Memory;
}

/** What the container's first process does before the program, in its new namespaces. */
export function setUp(spec: Spec, { keeper, kills = false, isNull }: SetUpOptions = {}): Section[] {
  // A mount namespace that others are in, too, stays as it is.
  const inside = isNew(spec, 'mount') ? fileSystems(spec, isNull) : { sections: [], terminal: undefined, proc: undefined };
  const late = registersLate(spec, kills);
  const kept = late && keeper ? [KEEPER_FD] : [];
  const registering = keeper ? [...keeper.send, ...keeper.confirm] : [];
  const sections: Section[] = [
    // Its answer is waited for below: the two work at the same time.
    ['the tie to the host', late ? [] : (keeper?.send ?? [])],
    ['the processors', allProcessors()],
    ['the umask', [{ call: 'umask', args: [0], purpose: 'modes are as they are given' }]],
    ['the host name', spec.hostname === undefined ? [] : hostname(spec.hostname)],
    ['the network', isNew(spec, 'net') ? loopbackUp() : []],
    ...inside.sections,
    ['the directory to start in', startIn(spec.cwd)],
    ['the standard streams', describeStreams(spec.streams, spec.user?.uid ?? 0)],
    ['the terminal', inside.terminal && spec.user ? giveTerminal(inside.terminal.slave, spec.user.uid) : []],
    // As late as that: the keeper of the first container starts meanwhile. Yet before the filter, which need not allow it.
    ['the tie to the host', late ? [] : (keeper?.confirm ?? [])],
    ...rights(spec, inside, { keptFiles: kept, hasHost: keeper !== undefined }),
    // It has no more rights than the program, which could otherwise gain them from it.
    ['the init process', spec.init ? init({ subreaper: !isNew(spec, 'pid'), register: late ? registering : [], kept }) : []],
    [
      'the session',
      [
        ...(spec.hardening.session === 'new' ? [newSession()] : []),
        ...(inside.terminal ? control(inside.terminal.slave) : []),
        { call: 'umask', args: [spec.hardening.umask], purpose: 'permissions that new files do not have' },
      ],
    ],
  ];
  checkFilter(spec, flatten(sections));
  return sections;
}

/** EPERM is for a process that leads its group already, as one that `child` finds itself in may. */
function newSession(): Step {
  return { call: 'setsid', args: [], purpose: 'a session of its own: no signals and no input by way of the caller', tolerates: ['EPERM'] };
}

/**
 * Where the program starts: a directory of the container. By a link of proc it could be one that this process has open, and those are the host's.
 *
 * @see openat2(2): RESOLVE_NO_MAGICLINKS
 */
function startIn(cwd: string): Step[] {
  const purpose = 'the directory to start in';
  // What leads nowhere else needs no care.
  if (cwd === '/') return [{ call: 'chdir', args: ['/'], purpose }];
  const how = openHow({ flags: openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC, resolve: resolveFlags.RESOLVE_NO_MAGICLINKS });
  const open: Step = {
    call: 'openat2',
    args: [AT_FDCWD, cwd, how, how.byteLength],
    purpose,
    as: 'cwd',
    hints: {
      ENOENT: `${cwd} does not exist in the container: make it, or start elsewhere`,
      ELOOP: `${cwd} leads by a link of /proc to what a process has open, which need not be the container's, or has too many links in it`,
    },
  };
  return [open, { call: 'fchdir', args: [resultOf(open)], purpose: `start in ${cwd}` }];
}

/** The kernel counts the terminals of all containers together: /proc/sys/kernel/pty/max, 4096. */
const MAX_TERMINALS = 256;

/** The mounts, from the private mount namespace to the new root. Everything below the new root is reached from its open mount. */
function fileSystems(spec: Spec, isNull: Memory | undefined): { sections: Section[]; terminal: Terminal | undefined; proc: ResultOf } {
  const inUserNamespace = spec.namespaces.user !== 'host' || isInUserNamespace();
  const makesDevices = !inUserNamespace && spec.hardening.capabilities.includes('CAP_MKNOD');
  const root =
    spec.rootfs === undefined
      ? userland(userlandOptions(spec, inUserNamespace, makesDevices))
      : rootfs(spec.rootfs, { devices: makesDevices, readonly: spec.readonly, isHostRoot: spec.isHostRoot });
  const devPlace = standardPlace(root, 'dev');
  const devices = dev(devPlace.place, {
    nodes: inUserNamespace ? 'bind' : 'make',
    pts: { gid: hasGroupInside(spec, 5) ? 5 : null, max: MAX_TERMINALS },
    mqueue: !inUserNamespace || isNew(spec, 'ipc'),
  });
  const console = spec.terminal && terminal(devices.mount, spec.terminal);
  // A sysfs belongs to a network namespace, and a user namespace may only mount that of its own one.
  const ownSys =
    inUserNamespace && !isNew(spec, 'net')
      ? bindMount('/sys', { recursive: true, readonly: true, as: 'sys', purpose: "the host's /sys at /sys, read-only" })
      : sysfsMount({ purpose: 'a sysfs for /sys', as: 'sys' });
  const sysPlace = standardPlace(root, 'sys');
  const atSys = openPlace(sysPlace.place);
  // Likewise a proc to a pid namespace.
  const ownProc =
    inUserNamespace && spec.namespaces.pid === 'host'
      ? bindMount('/proc', { recursive: true, purpose: "the host's /proc at /proc, writable as far as no path is read-only" })
      : procMount({ purpose: 'a fresh proc', as: 'proc' });
  const procPlace = standardPlace(root, 'proc');
  const atProc = openPlace(procPlace.place);
  const protectedPaths = [...spec.hardening.maskedPaths, ...spec.hardening.readonlyPaths];
  const isLookedUpIn = (at: string): boolean => protectedPaths.some((path) => `${path}/`.startsWith(`${at}/`));
  const mounts = spec.mounts.map((mount) => ({ to: mount.to, ...mountSteps(mount, root.mount, isLookedUpIn(mount.to)) }));
  // Whoever can rename directories of the image meanwhile must not decide what is protected: what is below a mount is looked up from the open mount.
  const known = knownMounts([
    ['/sys', ownSys.mount],
    ['/dev', { mount: devices.mount, links: 'may-lead-out' }],
    ...mounts.map(({ to, mount }) => [to, mount && ({ mount, links: 'may-lead-out' } as const)] as const),
    ['/proc', ownProc.mount],
  ]);
  return {
    sections: [
      ['private mounts', propagation('/', 'private', { recursive: true })],
      ['the root file system', root.steps],
      ['/sys', [...sysPlace.steps, ...atSys.steps, ...ownSys.steps, ...attach(ownSys.mount, atSys.fd, 'attach it to /sys')]],
      ['/dev', [...devPlace.steps, ...devices.steps]],
      ['the standard streams', ownNull(devices.mount, spec.streams, isNull)],
      ['the terminal', console?.steps ?? []],
      ['the mounts', mounts.flatMap(({ steps }) => steps)],
      [
        'the devices',
        spec.devices.flatMap(({ from, name }) =>
          bind(from, inRoot(devices.mount, name, { create: 'file' }), {
            kind: 'file',
            readonly: true,
            noSuid: true,
            noExec: true,
            purpose: `the host's ${from} at /dev/${name}, a device`,
          }),
        ),
      ],
      // After the others: a link of the image may have led one of them here, and nothing may stand in for proc.
      ['/proc', [...procPlace.steps, ...atProc.steps, ...ownProc.steps, ...attach(ownProc.mount, atProc.fd, 'attach it to /proc')]],
      ['the settings of the kernel', sysctlSteps(ownProc.mount, spec.hardening.sysctls)],
      ['what /proc and /sys do not show', hidden(spec, root.mount, devices.mount, known)],
      ['what cannot be written', readonlyPath(root.mount, spec.hardening.readonlyPaths, { mounts: known, plain: readonlySystemPaths })],
      ['the new root', [...(spec.readonly ? setAttributes(root.mount, { readonly: true }) : []), ...pivotRoot(root.mount)]],
    ],
    terminal: console,
    proc: ownProc.mount,
  };
}

/**
 * Files are covered by the null device of the container's own /dev: the host's would be one for all, with its locks and its watches (flock(2), inotify(7)).
 */
function hidden({ hardening: { maskedPaths } }: Spec, root: ResultOf, dev: ResultOf, mounts: KnownMounts): Step[] {
  if (maskedPaths.length === 0) return [];
  const open: Step = {
    call: 'openat',
    args: [dev, 'null', openFlags.O_PATH | openFlags.O_CLOEXEC, 0],
    purpose: 'the null device of the container',
    as: 'dev-null',
  };
  return [open, ...mask(root, maskedPaths, { nullDevice: resultOf(open), mounts, plain: maskedSystemPaths() })];
}

/** A directory at the top of the root: in a fresh one it is there, and is what it seems; in any other it is looked for with care. */
function standardPlace(root: Root, name: string): { steps: Step[]; place: Place } {
  if (!root.fresh) return { steps: [], place: inRoot(root.mount, `/${name}`, { symlinks: name === 'dev' ? 'in-root' : 'refuse' }) };
  const open: Step = {
    call: 'openat',
    args: [root.mount, name, openFlags.O_PATH | openFlags.O_CLOEXEC, 0],
    purpose: `the place of /${name}`,
    as: `at-${name}`,
  };
  return { steps: [open], place: resultOf(open) };
}

function userlandOptions({ hostname = 'container', namespaces, readonly, rootSizeBytes }: Spec, inUserNamespace: boolean, devices: boolean): UserlandOptions {
  return { hostname, readonly, inUserNamespace, hostNetwork: namespaces.net === 'host', devices, sizeBytes: rootSizeBytes };
}

/** @param keep whether the mount stays open, and what is below it is looked up from there */
function mountSteps(mount: CheckedMount, root: ResultOf, keep: boolean): { readonly steps: readonly Step[]; readonly mount: Handle | undefined } {
  const place = inRoot(root, mount.to, mount.kind === 'bind' ? { create: mount.of } : {});
  const directory = mount.kind === 'tmpfs' || mount.of === 'directory';
  const at = openPlace(place, { directory });
  const attached = (made: Handle): Step[] => attach(made, at.fd, `attach it to ${mount.to}`);
  if (mount.kind === 'bind' && mount.idMap) return { steps: [...at.steps, ...attached(mappedMount(mount))], mount: mappedMount(mount) };
  const as = mount.to.slice(mount.to.lastIndexOf('/') + 1);
  const made =
    mount.kind === 'tmpfs'
      ? tmpfsMount({
          noSuid: true,
          noDev: true,
          mode: 0o1777,
          purpose: `a tmpfs for ${mount.to}`,
          as,
          sizeBytes: mount.sizeBytes,
        })
      : bindMount(mount.from, {
          recursive: true,
          noSuid: true,
          noDev: true,
          as,
          ...(mount.readonly && { readonly: true }),
          purpose: bindPurpose(mount),
        });
  const close = (file: Handle, purpose: string): Step => ({ call: 'close', args: [file], purpose });
  const found = close(at.fd, `${mount.to} is found`);
  return {
    steps: [...at.steps, ...made.steps, ...attached(made.mount), ...(keep ? [] : [close(made.mount, 'it is attached')]), found],
    mount: keep ? made.mount : undefined,
  };
}

/** A new user namespace comes first, so that the others belong to it; its ids are mapped by the process itself where one id is all it may have. */
export function userNamespace(spec: Spec): Step[] {
  if (!isNew(spec, 'user')) return [];
  const maps = idMapsOf(spec);
  checkIsMapped(spec, maps);
  if (!mapsOfHost(spec)) return [...create('user'), ...mapOwnIds(maps)];
  // The caller's own id need not be in a map that the host writes: the process becomes the root of its namespace.
  return [...create('user'), ...waitForHost(`map the ids: ${idMapsText(maps)}`), ...becomeUser({ uid: 0, gid: 0, groups: [] })];
}

/** The maps that only the host can write: any but the caller's own id. It also has to be there to map the owners of files. */
export function mapsOfHost(spec: Spec): IdMaps | undefined {
  if (!isNew(spec, 'user')) return undefined;
  const maps = idMapsOf(spec);
  return isOwnAlone(maps) && !spec.mounts.some((mount) => mount.kind === 'bind' && mount.idMap) ? undefined : maps;
}

function hasGroupInside(spec: Spec, id: number): boolean {
  if (isNew(spec, 'user')) return hasId(idMapsOf(spec).gids, id);
  return !isInUserNamespace() || hasId(ownIdRanges('gid'), id);
}

/**
 * Joins the namespaces that exist already, the user namespace first: it may be what permits the others.
 * The mount namespace last: the paths of the others are those of the caller, not what a container has there.
 */
export function joined(spec: Spec): Step[] {
  const order: readonly Namespace[] = ['user', 'net', 'uts', 'ipc', 'cgroup', 'time', 'pid', 'mount'];
  const steps = order.flatMap((kind) => {
    const choice = spec.namespaces[kind];
    if (typeof choice === 'string') return [];
    const entry = 'pid' in choice ? join(choice.pid, kind) : joinPath(choice.path, kind);
    // The caller's own id need not be one of the namespace: the process becomes its root.
    return kind === 'user' ? [...entry, ...becomeUser({ uid: 0, gid: 0, groups: [] })] : entry;
  });
  const closed: Step = { call: 'prctl', args: [prctlOptions.PR_SET_DUMPABLE, 0, 0, 0, 0], purpose: 'what runs there cannot look into this process' };
  return steps.length > 0 ? [closed, ...steps] : [];
}

export function newKinds(spec: Spec): Namespace[] {
  return (Object.entries(spec.namespaces) as [Namespace, NamespaceChoice][])
    .filter(([kind, choice]) => choice === 'new' && kind !== 'user' && kind !== 'time')
    .map(([kind]) => kind);
}

export function isNew(spec: Spec, kind: Namespace): boolean {
  return spec.namespaces[kind] === 'new';
}
