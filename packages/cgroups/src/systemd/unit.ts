import { existsSync } from 'node:fs';

import { signals } from '@ctr/syscall';

import { CgroupError } from '../error.js';
import type { CgroupLayout } from '../layout.js';
import type { Place } from '../place.js';
import { Connection, RefusedError } from './bus.js';
import { placesOf } from './places.js';
import type { UnitProperty } from './properties.js';
import { socketsOf, type Manager } from './running.js';

/** What a scope is made of. */
export interface Start {
  readonly unit: string;
  readonly manager: Manager;
  readonly pids: readonly number[];
  readonly layout: CgroupLayout;
}

/** Has a scope made, of which nothing is left if that fails. @returns where its processes are */
export async function startUnit({ unit, manager, pids, layout }: Start, properties: readonly UnitProperty[], signal: AbortSignal): Promise<Place[]> {
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
    await endUnit(connection, unit).catch(() => undefined);
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

/** Tells systemd of new limits: until the next boot, as all of the scope. @see org.freedesktop.systemd1(5), SetUnitProperties() */
export async function keepProperties(unit: string, manager: Manager, properties: readonly UnitProperty[], signal: AbortSignal): Promise<void> {
  using connection = await Connection.open(socketsOf(manager), signal);
  try {
    await connection.call('SetUnitProperties', 'sba(sv)', unit, true, properties);
  } catch (error) {
    throw refused(`keep the new limits of ${unit}, which hold until it reads its units again`, unit, error);
  }
}

/** Ends a scope, if it is there. */
export async function removeUnit(unit: string, manager: Manager, signal: AbortSignal): Promise<void> {
  using connection = await Connection.open(socketsOf(manager), signal);
  try {
    await endUnit(connection, unit);
  } catch (error) {
    // It has ended by itself, with its last process, and is forgotten.
    if (!(error instanceof RefusedError && error.reason === noSuchUnit)) throw refused(`stop the scope ${unit}`, unit, error);
  }
}

async function endUnit(connection: Connection, unit: string): Promise<void> {
  // The first process of a pid namespace takes no other signal, for which systemd would wait.
  await connection.call('KillUnit', 'ssi', unit, 'all', signals.SIGKILL);
  await connection.jobResult(String(await connection.call('StopUnit', 'ss', unit, 'replace')));
  await connection.call('ResetFailedUnit', 's', unit);
}

const unitExists = 'org.freedesktop.systemd1.UnitExists';
const noSuchUnit = 'org.freedesktop.systemd1.NoSuchUnit';

/** What to do about what systemd says. @see the names in src/libsystemd/sd-bus/bus-common-errors.h of systemd, and in the D-Bus specification */
const remedies: Readonly<Record<string, string>> = {
  [unitExists]: 'a unit of this name is there: give another name, or end that one first (systemctl stop)',
  [noSuchUnit]: 'it has ended, and a scope ends with its last process',
  'org.freedesktop.DBus.Error.UnixProcessIdUnknown': 'the process has ended before it was put there, or is of another pid namespace than systemd',
  'org.freedesktop.DBus.Error.AccessDenied': 'this user may not: ask as root, or the systemd of the user itself (systemctl --user)',
  'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired': 'this user may not: ask as root, or the systemd of the user itself (systemctl --user)',
  'org.freedesktop.DBus.Error.PropertyReadOnly': 'this systemd does not know the property: see systemctl --version, and leave it out or update that',
  'System.Error.ENXIO':
    'a property has another type than systemd has for it: busctl introspect org.freedesktop.systemd1 /org/freedesktop/systemd1/unit/init_2escope shows them',
  'org.freedesktop.DBus.Error.UnknownProperty': 'this systemd does not know the property: see systemctl --version, and leave it out or update that',
};

function refused(what: string, unit: string, error: unknown): unknown {
  if (!(error instanceof RefusedError)) return error;
  const remedy = remedies[error.reason] ?? `see journalctl -u ${unit}`;
  return new CgroupError('unit', `systemd refused to ${what}: ${error.message || error.reason} (${error.reason}). ${remedy}`, { cause: error });
}
