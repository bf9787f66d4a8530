import { groupAt, killMembers, type Place } from '@ctr/cgroups';
import { call, Fd, quote, signals, type SignalName } from '@ctr/syscall';

import { OciError } from '../error.js';
import { StateDirectory } from '../state/directory.js';
import { openProcess } from '../state/identity.js';
import { defaultRoot } from '../state/root.js';
import { runningIn } from '../state/running-in.js';
import { ownPlaces, readState } from '../state/stored.js';
import type { RootOptions } from './root-options.js';

/** To whom a signal is sent. */
export interface KillOptions extends RootOptions {
  /** To all processes of the container; none is no error then. @default false: to its first one */
  readonly all?: boolean;
}

/**
 * Sends a signal to a container's first process, which no other can be taken for. SIGKILL ends all of its processes, also those that run on after the first one, and one that is paused.
 * Throws a `RangeError` for a name that is no signal's, and an {@link OciError}: `does-not-exist`, or `not-running` for one that has stopped.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/runtime.md#kill
 * @example
 * ```ts no-run
 * import { kill } from '@ctr/oci';
 * kill('web', 'SIGTERM');
 * ```
 */
export function kill(id: string, signal: SignalWord | number = 'SIGTERM', options: KillOptions = {}): void {
  using directory = StateDirectory.open(options.root ?? defaultRoot(), id);
  const stored = readState(directory);
  const { process } = stored;
  const places = ownPlaces(stored);
  const number = typeof signal === 'number' ? signal : numberOf(signal);
  using first = process && openProcess(process);
  if (first && !(options.all && places.length > 0)) send(first, number);
  else if (options.all) for (const pid of places.length > 0 ? groupAt(places).pids() : []) sendIfMember(pid, number, places);
  else if (number !== signals.SIGKILL || runningIn(places).length === 0) throw new OciError('not-running', 'container not running');
  // Nothing of a container goes on after SIGKILL, also where it shares its pid namespace; and what is frozen on v1 does not even end before it thaws.
  if (number === signals.SIGKILL) killMembers(places.map((place) => place.directory));
}

/** A signal by its name, with or without SIG. */
export type SignalWord = SignalName | (SignalName extends `SIG${infer Name}` ? Name : never);

function numberOf(signal: string): number {
  const name = signal.toUpperCase().replace(/^(?!SIG)/, 'SIG');
  const number = Object.hasOwn(signals, name) ? signals[name as SignalName] : undefined;
  if (number === undefined) throw new RangeError(`there is no signal ${quote(signal)}: give a name such as SIGTERM, or a number`);
  return number;
}

/** A pid of the group may be another's by the time it is opened: then it is in the group no more. */
function sendIfMember(pid: number, number: number, places: readonly Place[]): void {
  const opened = call({ call: 'pidfd_open', args: [pid, 0], purpose: `hold on to process ${pid}`, tolerates: ['ESRCH', 'EINVAL'] });
  if (opened < 0) return;
  using pidfd = new Fd(opened);
  if (groupAt(places).pids().includes(pid)) send(pidfd, number);
}

function send(pidfd: Fd, number: number): void {
  call({ call: 'pidfd_send_signal', args: [pidfd, number, null, 0], purpose: `send signal ${number}`, tolerates: ['ESRCH'] });
}
