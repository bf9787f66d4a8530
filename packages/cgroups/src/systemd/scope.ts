import { existsSync } from 'node:fs';

import { checkOptions, nodeTimers, quote } from '@ctr/syscall';

import { checkLimits } from '../check-limits.js';
import { limitNeeds } from '../controllers.js';
import { CgroupError } from '../error.js';
import { groupAt, type Cgroup } from '../group.js';
import { readLayout, type CgroupLayout } from '../layout.js';
import type { Limits } from '../limits.js';
import type { Place } from '../place.js';
import { waitUntil, type WaitOptions } from '../wait.js';
import { passAll } from './places.js';
import { propertiesOf, type UnitProperty } from './properties.js';
import { ownManager, requireSystemd, type Manager } from './running.js';
import { keepProperties, removeUnit, startUnit } from './unit.js';
import { checkUnitName, expandSlice } from './unit-name.js';

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
  /**
   * What else systemd is told of the unit: `[['TimeoutStopUSec', ['t', 5_000_000]]]`. It stands in the place of what `createScope` says itself, but for `PIDs`, `Slice` and `Delegate`; a limit
   * of `limits` counts before it.
   *
   * @default nothing
   */
  readonly properties?: readonly UnitProperty[];
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
 * (the name is taken, a property is not known to it, the process has ended); with a `SyscallError` if the kernel refuses a limit. Then there is no scope, and what was in it is killed;
 * only if the connection is lost meanwhile, or the time is over, it is not known.
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
  checkOptions('createScope', options, ['pids', 'limits', 'slice', 'description', 'properties', 'manager', 'layout', 'timeoutMs', 'cancelSignal']);
  const { pids, limits = {}, slice, description = unit, properties: given = [], manager = ownManager(), layout = readLayout() } = options;
  const { timeoutMs = TIMEOUT_MS, cancelSignal } = options;
  checkUnitName(unit, 'scope');
  if (slice !== undefined) expandSlice(slice);
  if (pids.length === 0) throw new TypeError(`the scope ${unit} has no processes: systemd makes none without, and ends it with the last one`);
  for (const pid of pids) if (!Number.isSafeInteger(pid) || pid <= 0) throw new RangeError(`${pid} is not the id of a process`);
  checkLimits(limits);
  checkProperties(given);
  requireSystemd(layout, manager);
  // What version 2 does not have is refused before anything is made.
  limitNeeds(limits, layout);
  const own: UnitProperty[] = [
    ['Description', ['s', description]],
    ...(slice === undefined ? [] : [['Slice', ['s', slice]] as const]),
    ['PIDs', ['au', pids]],
    ['Delegate', ['b', true]],
    // A first process of a pid namespace takes no SIGTERM: the shutdown would wait for it.
    ['DefaultDependencies', ['b', false]],
    // A unit that has failed would keep the name taken.
    ['CollectMode', ['s', 'inactive-or-failed']],
  ];
  const ofLimits = propertiesOf(limits);
  const without = (list: readonly UnitProperty[], others: readonly UnitProperty[]) => list.filter(([name]) => !others.some(([other]) => other === name));
  const properties = [...without(own, given), ...without(given, ofLimits), ...ofLimits];
  cancelSignal?.throwIfAborted();
  // Not by the caller's signal: what became of a call that is given up would not be known.
  const places = await startUnit({ unit, manager, pids, layout }, properties, within({ timeoutMs }, `made the scope ${unit}`));
  const scope = scopeAt(unit, places, { manager });
  try {
    cancelSignal?.throwIfAborted();
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
  return {
    unit,
    manager,
    places,
    group,
    set: (limits, options = {}) => change(unit, manager, group, limits, options),
    stop: (options = {}) => stop(unit, manager, group, options),
    [Symbol.asyncDispose]: () => stop(unit, manager, group, {}),
  };
}

async function change(unit: string, manager: Manager, group: Cgroup, limits: Limits, options: WaitOptions): Promise<void> {
  checkOptions('options', options, ['timeoutMs', 'cancelSignal']);
  // The kernel first, which takes all or none.
  await group.set(limits);
  const properties = propertiesOf(limits);
  if (properties.length === 0) return;
  await keepProperties(unit, manager, properties, within(options, `changed the scope ${unit}`));
  // systemd has written what it knows, which may be coarser.
  await group.set(limits);
}

async function stop(unit: string, manager: Manager, group: Cgroup, options: WaitOptions): Promise<void> {
  await group.kill(options);
  const { directories } = group;
  const isGone = (): boolean => directories.every((directory) => !existsSync(directory));
  // It ends by itself with its last process, if it is known where that was.
  if (directories.length > 0 && isGone()) return;
  await removeUnit(unit, manager, within(options, `stopped the scope ${unit}`)).catch((error: unknown) => {
    if (directories.length === 0 || !isGone()) throw error;
  });
  await waitUntil(options, {
    done: isGone,
    late: (ms) => `systemd has not removed the group of ${unit} within ${ms} ms: ${directories.join(', ')}. See systemctl status ${unit}`,
  });
}

/** What a scope is, and where: given by options of their own. */
const ofOptions = ['PIDs', 'Slice', 'Delegate'];

function checkProperties(properties: readonly UnitProperty[]): void {
  for (const [name] of properties) {
    if (!/^[A-Z][A-Za-z0-9]*$/.test(name)) throw new TypeError(`${quote(name)} is not the name of a property as D-Bus has it, such as CollectMode`);
    if (ofOptions.includes(name))
      throw new TypeError(`the property ${name} is not among those that may be given: pids and slice are options, and each scope is delegated`);
  }
}

/** Fires when the time is over, with words of ours, or when the caller's does. */
function within({ timeoutMs = TIMEOUT_MS, cancelSignal }: WaitOptions, what: string): AbortSignal {
  const timer = new AbortController();
  const late = `systemd has not ${what} within ${timeoutMs} ms: see systemctl list-jobs, and the journal`;
  nodeTimers.setTimeout(() => timer.abort(new CgroupError('no-systemd', late)), timeoutMs).unref();
  return cancelSignal ? AbortSignal.any([timer.signal, cancelSignal]) : timer.signal;
}
