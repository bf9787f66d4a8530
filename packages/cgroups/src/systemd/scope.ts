import { existsSync, readFileSync } from 'node:fs';

import { checkOptions, signals } from '@ctr/syscall';

import { checkLimits } from '../check-limits.js';
import { CgroupError } from '../error.js';
import { groupAt, type Cgroup } from '../group.js';
import { readLayout, type CgroupLayout } from '../layout.js';
import type { Limits } from '../limits.js';
import { limitNeeds } from '../controllers.js';
import { passOn } from '../pass-on.js';
import type { Place } from '../place.js';
import { readWords } from '../read-words.js';
import { waitUntil, type WaitOptions } from '../wait.js';
import { Connection, RefusedError } from './bus.js';
import { propertiesOf, type Property } from './properties.js';
import { ownManager, requireSystemd, socketsOf, unifiedOf, type Manager } from './running.js';
import { checkUnitName, expandSlice, type ScopeName } from './unit-name.js';

/** A scope: a unit of systemd for processes that others have started. Disposing stops it, with what runs in it. */
export interface Scope extends AsyncDisposable {
  /** `ctr-web.scope` */
  readonly unit: string;
  readonly manager: Manager;
  /** Where its group is, for {@link scopeAt} of another process. */
  readonly places: readonly Place[];
  /** Its group, which is delegated: to measure, freeze and kill it. Its limits are changed by {@link Scope.set}, so that systemd knows. */
  readonly group: Cgroup;
  /**
   * Changes limits, for the kernel and for systemd. If the kernel refuses one, all stay as they were. Rejects with a `SyscallError`, or a {@link CgroupError} (`unit`, `no-systemd`).
   */
  set(limits: Limits, options?: WaitOptions): Promise<void>;
  /** Kills what runs in it, and waits until systemd knows nothing of it any more. A second time does nothing. */
  stop(options?: WaitOptions): Promise<void>;
}

/** How a scope is made. */
export interface ScopeOptions extends WaitOptions {
  /** The processes that go into it: at least one, which has to be alive. */
  readonly pids: readonly number[];
  /** @default none */
  readonly limits?: Limits;
  /** The slice it is in: `machine.slice`. @default `system.slice`, or `app.slice` of a user */
  readonly slice?: string;
  /** What `systemctl status` says of it. @default its name */
  readonly description?: string;
  /** Which systemd makes it. @default that of the system for root, their own for others */
  readonly manager?: Manager;
  /** What `readLayout` has found. @default it is read anew */
  readonly layout?: CgroupLayout;
}

/** What the bus itself waits for an answer. */
const TIMEOUT_MS = 25_000;

/**
 * Has systemd make a scope (`StartTransientUnit`), with a delegated group and these limits, and move processes there. When the promise resolves, they are in it and all limits hold:
 * let a program go on only then.
 *
 * What systemd has a property for it is told, so that the limits last (`systemctl show`, `daemon-reload`), and all is written to the control files besides: systemd knows a quota
 * only in percent, and not every limit. The scope ends by itself with its last process.
 *
 * Rejects with a `TypeError` or `RangeError` for a name or limits that cannot be; with a {@link CgroupError} of kind `no-systemd` where there is no systemd to be asked, `unit` if it refuses
 * (the name is taken, a property is not known to it, the process has ended); with a `SyscallError` if the kernel refuses a limit. Then there is no scope, and what was in it is killed.
 *
 * @see org.freedesktop.systemd1(5), https://systemd.io/CONTROL_GROUP_INTERFACE
 * @example
 * ```ts no-run
 * import { spawn } from 'node:child_process';
 * import { createScope } from '@ctr/cgroups/systemd';
 * const child = spawn('sleep', ['60']);
 * await using scope = await createScope('job-1.scope', { pids: [child.pid ?? 0], limits: { pids: 20, cpuCores: 0.5 } });
 * console.log(scope.group.stats().pidsCurrent); // 1
 * ```
 */
export async function createScope(unit: string, options: ScopeOptions): Promise<Scope> {
  checkOptions('createScope', options, ['pids', 'limits', 'slice', 'description', 'manager', 'layout', 'timeoutMs', 'cancelSignal']);
  const { pids, limits = {}, slice, description = unit, manager = ownManager(), layout = readLayout(), timeoutMs = TIMEOUT_MS, cancelSignal } = options;
  checkUnitName(unit, 'scope');
  if (slice !== undefined) expandSlice(slice);
  if (pids.length === 0) throw new TypeError(`the scope ${unit} has no processes: systemd makes none without, and ends it with the last one`);
  for (const pid of pids) if (!Number.isSafeInteger(pid) || pid <= 0) throw new RangeError(`${pid} is not the id of a process`);
  checkLimits(limits);
  requireSystemd(layout, manager);
  // What version 2 does not have is refused before anything is made.
  limitNeeds(limits, layout);
  const properties: Property[] = [
    ['Description', ['s', description]],
    ...(slice === undefined ? [] : [['Slice', ['s', slice]] as const]),
    ['PIDs', ['au', pids]],
    ['Delegate', ['b', true]],
    // Or a user's containers would wait for the end of the boot, and hold up the shutdown of what they need.
    ['DefaultDependencies', ['b', false]],
    // A unit that has failed would keep the name taken.
    ['CollectMode', ['s', 'inactive-or-failed']],
    ...propertiesOf(limits),
  ];
  const signal = within(timeoutMs, cancelSignal, `systemd has not made the scope ${unit} within ${timeoutMs} ms: see systemctl list-jobs, and the journal`);
  const places = await startUnit({ unit, manager, pids, layout }, properties, signal);
  const scope = scopeAt(unit, places, { manager });
  try {
    await passAll(places, limits, layout);
    await scope.group.set(limits);
  } catch (error) {
    await scope.stop();
    throw error;
  }
  return scope;
}

/**
 * A scope that is there already, by what {@link createScope} said of it.
 *
 * @param places where its group is, as {@link Scope.places} has it; none if that is not known: it can only be stopped then
 * @example
 * ```ts no-run
 * import { scopeAt } from '@ctr/cgroups/systemd';
 * await scopeAt('job-1.scope', []).stop();
 * ```
 */
export function scopeAt(unit: string, places: readonly Place[], { manager = ownManager() }: { readonly manager?: Manager } = {}): Scope {
  checkUnitName(unit, 'scope');
  const group = groupAt(places);
  const stop = (options: WaitOptions = {}): Promise<void> => stopUnit(unit, manager, group, options);
  return {
    unit,
    manager,
    places,
    group,
    set: (limits, options = {}) => setProperties(unit, manager, group, limits, options),
    stop,
    [Symbol.asyncDispose]: () => stop(),
  };
}

interface Start {
  readonly unit: string;
  readonly manager: Manager;
  readonly pids: readonly number[];
  readonly layout: CgroupLayout;
}

/** @returns where its processes are */
async function startUnit({ unit, manager, pids, layout }: Start, properties: readonly Property[], signal: AbortSignal): Promise<Place[]> {
  using connection = await Connection.open(socketsOf(manager), signal);
  const start = async (): Promise<string> => String(await connection.call('StartTransientUnit', 'ssa(sv)a(sa(sv))', unit, 'fail', properties, []));
  let job: string;
  try {
    job = await start().catch(async (error: unknown) => {
      if (!(error instanceof RefusedError) || error.reason !== unitExists) throw error;
      // One of this name may have failed, of which nothing but the name is left.
      await connection.call('ResetFailedUnit', 's', unit);
      return start();
    });
  } catch (error) {
    throw refused(`make the scope ${unit}`, unit, error);
  }
  try {
    const result = await connection.jobResult(job);
    if (result !== 'done') throw notDone(unit, result, pids);
    return placesOf(unit, pids, layout);
  } catch (error) {
    // Whether it is there or not: nothing is left of it.
    await connection.call('StopUnit', 'ss', unit, 'replace').catch(() => undefined);
    await connection.call('ResetFailedUnit', 's', unit).catch(() => undefined);
    throw error;
  }
}

function notDone(unit: string, result: string, pids: readonly number[]): CgroupError {
  const dead = pids.filter((pid) => !existsSync(`/proc/${pid}`));
  return new CgroupError(
    'unit',
    dead.length > 0
      ? `systemd could not make the scope ${unit} (its job ended as ${result}): process ${dead.join(', ')} has ended, and a scope is made of processes that live`
      : `systemd could not make the scope ${unit}: its job ended as ${result}. The journal says why: journalctl -u ${unit}`,
  );
}

async function setProperties(unit: string, manager: Manager, group: Cgroup, limits: Limits, options: WaitOptions): Promise<void> {
  checkOptions('options', options, ['timeoutMs', 'cancelSignal']);
  const { timeoutMs = TIMEOUT_MS, cancelSignal } = options;
  // The kernel first, which takes all or none.
  await group.set(limits);
  const properties = propertiesOf(limits);
  if (properties.length === 0) return;
  const signal = within(timeoutMs, cancelSignal, `systemd has not changed the scope ${unit} within ${timeoutMs} ms: see systemctl list-jobs, and the journal`);
  using connection = await Connection.open(socketsOf(manager), signal);
  try {
    await connection.call('SetUnitProperties', 'sba(sv)', unit, true, properties);
  } catch (error) {
    throw refused(`keep the new limits of ${unit}, which hold until it reads its units again,`, unit, error);
  }
  // systemd has written what it knows, which may be coarser.
  await group.set(limits);
}

async function stopUnit(unit: string, manager: Manager, group: Cgroup, options: WaitOptions): Promise<void> {
  await group.kill(options);
  const { directories } = group;
  const isGone = (): boolean => directories.every((directory) => !existsSync(directory));
  if (directories.length > 0 && isGone()) return;
  const { timeoutMs = TIMEOUT_MS, cancelSignal } = options;
  const signal = within(timeoutMs, cancelSignal, `systemd has not stopped the scope ${unit} within ${timeoutMs} ms: see systemctl list-jobs, and the journal`);
  try {
    using connection = await Connection.open(socketsOf(manager), signal);
    // Where its group is may not be known; and a first process of a pid namespace takes no other signal.
    await connection.call('KillUnit', 'ssi', unit, 'all', signals.SIGKILL);
    await connection.jobResult(String(await connection.call('StopUnit', 'ss', unit, 'replace')));
    await connection.call('ResetFailedUnit', 's', unit);
  } catch (error) {
    // It ends by itself with its last process, and is forgotten then.
    if (!(error instanceof RefusedError && error.reason === noSuchUnit) && !(directories.length > 0 && isGone()))
      throw refused(`stop the scope ${unit}, in which nothing runs any more,`, unit, error);
  }
  await waitUntil(options, {
    done: isGone,
    late: (ms) => `systemd has not removed the group of ${unit} within ${ms} ms: ${directories.join(', ')}. See systemctl status ${unit}`,
  });
}

/** Where the processes are now, as the kernel says. */
function placesOf(unit: string, pids: readonly number[], layout: CgroupLayout): Place[] {
  const { mount } = unifiedOf(layout);
  const [path] = pids.flatMap(groupOf);
  if (path === undefined) throw new CgroupError('unit', `systemd has made the scope ${unit}, but no process is in it any more: it has ended meanwhile`);
  const directory = `${mount}${path}`;
  if (!path.endsWith(`/${unit}`) || path.startsWith('/../') || !existsSync(`${directory}/cgroup.procs`))
    throw new CgroupError(
      'no-systemd',
      `systemd has made the scope ${unit}, but its process is in ${path}, which ${mount} does not show so: run in the control group namespace of systemd`,
    );
  return [placeAt(mount, directory)];
}

/** The group of a process on version 2, which a line `0::/path` tells; none of one that has ended. @see cgroups(7), /proc/pid/cgroup */
function groupOf(pid: number): string[] {
  try {
    const line = readFileSync(`/proc/${pid}/cgroup`, 'latin1')
      .split('\n')
      .find((each) => each.startsWith('0::'));
    return line === undefined ? [] : [line.slice('0::'.length)];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return [];
    throw error;
  }
}

/**
 * Where the group of a scope of the system's systemd is, or will be.
 *
 * @example
 * ```ts no-run
 * import { readLayout } from '@ctr/cgroups';
 * import { parseScopePath, placesOfScope } from '@ctr/cgroups/systemd';
 * const [place] = placesOfScope(parseScopePath('machine.slice:ctr:web'), readLayout());
 * console.log(place?.directory); // /sys/fs/cgroup/machine.slice/ctr-web.scope
 * ```
 */
export function placesOfScope({ unit, slice = 'system.slice' }: ScopeName, layout: CgroupLayout): Place[] {
  const { mount } = unifiedOf(layout);
  return [placeAt(mount, [mount, expandSlice(slice), unit].filter(Boolean).join('/'))];
}

/** Its controllers are those that the group above passes on, when it is there. */
function placeAt(mount: string, directory: string): Place {
  return { version: 2, controllers: readWords(`${directory}/cgroup.controllers`) ?? [], base: mount, parents: [], directory, enabled: true };
}

/** systemd does not know every controller: the groups above pass the others on when they are told to. */
async function passAll([place]: readonly Place[], limits: Limits, layout: CgroupLayout): Promise<void> {
  if (!place) return;
  const missing = limitNeeds(limits, layout).controllers.filter((name) => !place.controllers.includes(name));
  if (missing.length === 0) return;
  const names = place.directory
    .slice(place.base.length + 1)
    .split('/')
    .slice(0, -1);
  await passOn([place.base, ...names.map((_, i) => `${place.base}/${names.slice(0, i + 1).join('/')}`)], missing);
}

const unitExists = 'org.freedesktop.systemd1.UnitExists';
const noSuchUnit = 'org.freedesktop.systemd1.NoSuchUnit';

/** What to do about what systemd says. @see the names in src/libsystemd/sd-bus/bus-common-errors.h of systemd, and in the D-Bus specification */
const remedies: Readonly<Record<string, string>> = {
  [unitExists]: 'a unit of this name is there: give another name, or end that one first (systemctl stop)',
  [noSuchUnit]: 'it has ended, and a scope ends with its last process',
  'org.freedesktop.systemd1.NoSuchProcess': 'the process has ended before it was put there',
  'org.freedesktop.DBus.Error.UnixProcessIdUnknown': 'the process has ended before it was put there, or is of another pid namespace than systemd',
  'org.freedesktop.DBus.Error.AccessDenied': 'this user may not: ask as root, or the systemd of the user itself (systemctl --user)',
  'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired': 'this user may not: ask as root, or the systemd of the user itself (systemctl --user)',
  'org.freedesktop.DBus.Error.PropertyReadOnly': 'this systemd does not know the property: see systemctl --version, and leave the limit out or update it',
  'org.freedesktop.DBus.Error.UnknownProperty': 'this systemd does not know the property: see systemctl --version, and leave the limit out or update it',
};

function refused(what: string, unit: string, error: unknown): unknown {
  if (!(error instanceof RefusedError)) return error;
  const remedy = remedies[error.reason] ?? `see journalctl -u ${unit}`;
  return new CgroupError('unit', `systemd refused to ${what}: ${error.message || error.reason} (${error.reason}). ${remedy}`, { cause: error });
}

/** Fires when the time is over, with words of ours, or when the caller's does. */
function within(timeoutMs: number, cancelSignal: AbortSignal | undefined, late: string): AbortSignal {
  const timer = new AbortController();
  setTimeout(() => timer.abort(new CgroupError('no-systemd', late)), timeoutMs).unref();
  return cancelSignal ? AbortSignal.any([timer.signal, cancelSignal]) : timer.signal;
}
