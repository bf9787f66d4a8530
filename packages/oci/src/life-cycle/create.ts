import { resolve } from 'node:path';

import { newDirectories, readLayout, removeGroup, type CgroupLayout, type PlannedGroup } from '@ctr/cgroups';
import type { Scope } from '@ctr/cgroups/systemd';
import type { IdMaps } from '@ctr/namespaces';
import { explainCall, launch, openFd, openFlags, quote, requireKernel, type Child, type Fd, type Plan } from '@ctr/syscall';

import { checkBundle, hasHooksBeforeRoot } from '../check-bundle.js';
import type { Config } from '../config/config.js';
import type { Mount } from '../config/mount.js';
import { environmentOf } from '../environment.js';
import { parseConfig } from '../parse-config.js';
import { callersGroups, cgroupOf, isRootless, madeBefore, removeLeftovers, requireEmpty, requireThawed } from '../plan/cgroup.js';
import { makeScope, planScope, requireScope } from '../plan/scope.js';
import { planContainer, type ContainerParts } from '../plan/container.js';
import { streamsOf, waitForStreams, type Streams } from '../plan/streams.js';
import { isMapped } from '../plan/mounts.js';
import { netDevicesOf } from '../plan/net-devices.js';
import { idMapsOf, namespacesOf } from '../plan/namespaces.js';
import { problemText } from '../schema/problem.js';
import { annotationsIn, type State } from '../state.js';
import { StateDirectory, type Spare } from '../state/directory.js';
import { makeGate } from '../state/gate.js';
import { identityOf } from '../state/identity.js';
import { defaultRoot } from '../state/root.js';
import { laterHooks, removeState, withInode, writeConfig, writeState, type StoredState, type StoredStep } from '../state/stored.js';
import { readConfigFile } from './config-file.js';
import { sendPidfd } from './console-socket.js';
import { checkConsole, handOverConsole, type ConsoleOptions } from './console.js';
import { giveGroup } from './give-group.js';
import { runHooks } from './hooks.js';
import { HostSide } from './host-side.js';
import { checkJoinedMounts } from './joined-mounts.js';
import { NetDevices } from './net-devices.js';
import { NO_TIMEOUT_MS } from './no-timeout.js';
import { makeNotifyPlace } from './notify-socket.js';
import { mappedNamespace } from './mapped-namespace.js';
import { passedFiles } from './passed-files.js';
import { writePidFile } from './pid-file.js';
import { withReadOnlyNull } from './read-only-null.js';
import type { RootOptions } from './root-options.js';
import { withPipes, type OciStdio, type PipedChild } from './with-pipes.js';

/** How a container is created. */
export interface CreateOptions extends RootOptions, ConsoleOptions {
  /** stdin, stdout and stderr of the program: `'pipe'` is one to this process, by a stream of what is returned. Without effect where it has a terminal. @default all 'inherit' */
  readonly stdio?: readonly [OciStdio, OciStdio, OciStdio];
  /** The path of a socket that is sent a pidfd of the program's process. */
  readonly pidfdSocket?: string;
  /** Whether the root is changed by pivot_root(2), which a ramdisk does not allow; the old root stays below the new one otherwise. @default true */
  readonly pivot?: boolean;
  /** A file that the pid is written to. */
  readonly pidFile?: string;
  /** So many files of the caller, from fd 3 on, are the program's, which is told of them by `LISTEN_FDS`, as systemd does: those that are preserved come after them. @default 0 */
  readonly listenFds?: number;
  /** Whether the program can tell that it is ready, as services of systemd do: `NOTIFY_SOCKET` in its environment names a socket, and {@link start} passes on what comes there. @default false */
  readonly notify?: boolean;
  /** So many files of the caller, from fd 3 on, are those of the program as well. @default 0 */
  readonly preserveFds?: number;
  /** Whether the program has a session keyring of its own. @default true */
  readonly newKeyring?: boolean;
  /** Whether it is put into a cgroup. @default true */
  readonly cgroup?: boolean;
  /** Who makes that: this runtime, or systemd, for which `linux.cgroupsPath` is `slice:prefix:name`. It takes cgroup v2. @default 'cgroupfs' */
  readonly cgroupManager?: 'cgroupfs' | 'systemd';
  /**
   * Leave it to whoever becomes its parent when this process ends, and learns how it ended: what an engine is. The promise of its end never settles then. @default false
   */
  readonly detached?: boolean;
  /** Is told what has no effect. */
  readonly onWarning?: (message: string) => void;
  /** Is told what is done, for a log. */
  readonly onDebug?: (message: string) => void;
  readonly cancelSignal?: AbortSignal;
}

/** What a plan that is kept from one command to the next has of a step. */
const MAX_LINE = 1024;

/**
 * Creates a container: all of it is made, and its first process waits for {@link start}, with nothing else of this runtime running.
 *
 * Rejects with a `ConfigError` for a config that cannot be, an {@link OciError} (`exists`, `invalid-id`, `hook`), a `SyscallError` that names the step which failed. Nothing is left then.
 *
 * @param bundle a directory with a `config.json`
 * @returns its first process
 * @see https://github.com/opencontainers/runtime-spec/blob/main/runtime.md#create
 * @example
 * ```ts no-run
 * import { create, remove, start } from '@ctr/oci';
 * const child = await create('/srv/bundle', 'web');
 * await start('web');
 * console.log((await child.exited).code);
 * await remove('web');
 * ```
 */
export function create(bundle: string, id: string, options: CreateOptions = {}): Promise<PipedChild> {
  return withPipes(options.stdio, (stdio) => createWith(bundle, id, options, stdio));
}

async function createWith(bundle: string, id: string, options: CreateOptions, stdio: Streams | undefined): Promise<Child> {
  requireKernel();
  const directory = resolve(bundle);
  const text = readConfigFile(directory);
  const warn = options.onWarning ?? (() => undefined);
  const config = parseConfig(text, { onWarning: (problem) => warn(problemText(problem)) });
  const { process, rootfs } = checkBundle(config, directory);
  checkConsole(process, options);

  const { directory: state, lock, spare } = await StateDirectory.create(options.root ?? defaultRoot(), id);
  using _state = state;
  using _lock = lock;
  using _spare = spare;
  const opened: Fd[] = [];
  try {
    return await createIn(state, { config, process, bundle: directory, rootfs, text: text.toString(), warn, opened, lock, stdio, spare }, options);
  } catch (error) {
    spare[Symbol.dispose]();
    removeState(state);
    throw error;
  } finally {
    for (const fd of opened) fd.close();
  }
}

interface Given extends Pick<ContainerParts, 'config' | 'process' | 'bundle' | 'rootfs' | 'warn' | 'lock'> {
  readonly text: string;
  readonly opened: Fd[];
  readonly stdio: Streams | undefined;
  readonly spare: Spare;
}

async function createIn(directory: StateDirectory, given: Given, options: CreateOptions): Promise<Child> {
  const { process, bundle, rootfs, opened, text } = given;
  using notify = options.notify ? makeNotifyPlace(directory) : undefined;
  const config = notify ? { ...given.config, mounts: [...(given.config.mounts ?? []), notify.mount] } : given.config;
  const { hooks = {} } = config;
  const namespaces = namespacesOf(config, (path) => {
    const fd = openFd(path, { flags: openFlags.O_RDONLY });
    opened.push(fd);
    return fd;
  });
  checkJoinedMounts(namespaces.joined.get('mount'), options.pivot ?? true);
  using devices = new NetDevices(netDevicesOf(config), namespaces.joined.get('net'));
  const layout = readLayout();
  const rootless = isRootless();
  const bySystemd = options.cgroup !== false && options.cgroupManager === 'systemd';
  const scope = bySystemd ? planScope(config, directory.id, layout, await import('@ctr/cgroups/systemd')) : undefined;
  if (scope) await requireScope(scope, layout);
  const group = options.cgroup === false || scope ? undefined : ownGroup(config, directory.id, layout, { rootless });
  requireThawed((scope ?? group)?.places ?? []);
  if (group) requireEmpty(group);
  const { listenFds = 0, preserveFds = 0 } = options;
  const passed = passedFiles(listenFds + preserveFds);
  opened.push(...passed);
  const hasHooks = hasHooksBeforeRoot(config);
  using gate = makeGate(directory);
  const maps = idMapsOf(config);
  const streams = withReadOnlyNull(streamsOf(process.terminal, given.stdio), opened);
  const { plan, waits, files } = planContainer({
    ...given,
    config,
    mapped: await mappedMounts(config, maps, namespaces.joined.get('user'), opened),
    sources: new Map(notify ? [[notify.mount, notify.source]] : []),
    namespaces,
    layout,
    group,
    scope,
    groupPlaces: (scope ?? group)?.places ?? callersGroups(layout),
    gate,
    passed,
    hasHooks,
    streams,
    environment: environmentOf(process, rootfs, [...(listenFds > 0 ? [`LISTEN_FDS=${listenFds}`, 'LISTEN_PID=1'] : []), ...(notify ? [notify.variable] : [])]),
    newKeyring: options.newKeyring ?? true,
    pivot: options.pivot ?? true,
    plainLineFeeds: options.plainLineFeeds ?? false,
  });
  const stored: StoredState = {
    version: 1,
    ociVersion: config.ociVersion,
    id: directory.id,
    bundle,
    rootfs,
    created: new Date().toISOString(),
    annotations: config.annotations ?? {},
    hooks: laterHooks.filter((kind) => hooks[kind]?.length),
    process: undefined,
    places: (scope ?? group)?.places ?? [],
    ...(scope && { scope: { unit: scope.unit, manager: scope.manager } }),
    last: lastSteps(plan),
    stepCount: plan[0].length + plan[1].length,
  };
  options.onDebug?.(
    `container ${quote(directory.id)}: its plan has ${stored.stepCount} steps, ${plan[0].length} of them until it waits to be started; cgroup: ${stored.places.map((each) => each.directory).join(', ') || 'none of its own'}`,
  );
  // From here on, whoever deletes the container knows what may be there of it.
  writeConfig(directory, text);
  writeState(directory, stored);
  const current = (pid: number): State => ({
    ociVersion: config.ociVersion,
    id: directory.id,
    status: 'creating',
    pid,
    bundle,
    ...annotationsIn(stored.annotations),
  });
  let made: Scope | undefined;
  let making: Promise<Scope> | undefined;
  using host = new HostSide(waits, files, {
    maps,
    hooks,
    seccomp: config.linux?.seccomp,
    ownUsers: namespaces.has('user'),
    makesDevices: process.capabilities?.bounding?.includes('CAP_MKNOD') ?? false,
    state: current,
    places: () => made?.places ?? stored.places,
    scope: async (pid) => {
      making = scope && makeScope(scope, pid, { id: directory.id, layout, cancelSignal: options.cancelSignal });
      made = await making;
    },
    network: (pid) => devices.move(pid),
    keep: (pid) => {
      const identity = identityOf(pid);
      if (!identity) throw new Error('the container has ended while it was created');
      // Somebody may have come there meanwhile.
      if (group) requireEmpty(group, pid);
      const places = (made?.places ?? stored.places).map(withInode);
      giveGroup(places, { config, namespaces, layout, warn: given.warn });
      writeState(directory, { ...stored, places, process: identity });
    },
  });
  try {
    waitForStreams(streams);
    const child = await launch(plan, {
      stdio: streams,
      onWaiting: host.onWaiting,
      onFile: host.onFile,
      // How long a hook may take stands in the configuration, and to copy takes as long as there is something to copy.
      ...((waits.includes('root') || waits.includes('copy')) && { setupTimeoutMs: NO_TIMEOUT_MS }),
      ...(options.detached !== undefined && { detached: options.detached }),
      ...(options.cancelSignal && { cancelSignal: options.cancelSignal }),
    });
    try {
      handOverConsole(host.takeConsole(), options);
      if (options.pidfdSocket !== undefined) sendPidfd(options.pidfdSocket, child.pid);
      if (options.pidFile !== undefined) writePidFile(options.pidFile, child.pid);
    } catch (error) {
      child.kill('SIGKILL');
      if (!options.detached) await child.exited;
      throw error;
    }
    options.onDebug?.(`container ${quote(directory.id)}: it is created, with process ${child.pid}`);
    return child;
  } catch (error) {
    given.spare[Symbol.dispose]();
    const failure = await devices.undo(error);
    // The host is waited for when all directories of the group are made.
    if (group) await removeGroup(host.hasFailed ? newDirectories(group.places) : madeBefore(error, plan[0], group));
    // What was refused for the scope has ended the process that waited for it: that is the error then.
    await (await making)?.stop();
    if (host.hooked !== undefined)
      await runHooks('poststop', hooks.poststop, { ...current(host.hooked), status: 'stopped' }, { onFailure: ({ message }) => given.warn(message) });
    throw failure;
  }
}

/** The group of a container, without what was left there. */
function ownGroup(config: Config, id: string, layout: CgroupLayout, options: { readonly rootless: boolean }): PlannedGroup | undefined {
  removeLeftovers(config, id, layout, options);
  return cgroupOf(config, id, layout, options);
}

/** What `start` has to tell of, if it fails. */
function lastSteps([before, after]: readonly [Plan, Plan]): StoredStep[] {
  return after.map((step, i) => ({
    index: before.length + i,
    call: step.call,
    line: explainCall(step).slice(0, MAX_LINE),
    purpose: step.purpose,
    ...(step.hints && { hints: step.hints }),
  }));
}

/** The namespaces by which mounts show their owners: each one is made once. */
async function mappedMounts(config: Config, own: IdMaps | undefined, joined: Fd | undefined, opened: Fd[]): Promise<ReadonlyMap<Mount, Fd>> {
  const made = new Map<string, Fd>();
  const mapped = new Map<Mount, Fd>();
  for (const mount of config.mounts ?? []) {
    if (!isMapped(mount)) continue;
    const maps = idMapsOf({ linux: mount }) ?? (joined ? undefined : own);
    // One that is joined has maps of its own, whatever the configuration says.
    if (!maps && joined) {
      mapped.set(mount, joined);
      continue;
    }
    if (!maps) throw new TypeError(`the mount at ${mount.destination}: idmap needs uidMappings and gidMappings, its own or those of a user namespace`);
    const key = JSON.stringify(maps);
    let namespace = made.get(key);
    if (!namespace) {
      namespace = await mappedNamespace(maps);
      made.set(key, namespace);
      opened.push(namespace);
    }
    mapped.set(mount, namespace);
  }
  return mapped;
}
