import { writeFileSync } from 'node:fs';

import { groupAt, type Place } from '@ctr/cgroups';
import { call, Fd, quote, signals, type SignalName } from '@ctr/syscall';

import { OciError } from '../error.js';
import { StateDirectory } from '../state/directory.js';
import { openProcess } from '../state/identity.js';
import { defaultRoot } from '../state/root.js';
import { readState } from '../state/stored.js';
import type { RootOptions } from './root-options.js';

/** To whom a signal is sent. */
export interface KillOptions extends RootOptions {
  /** To all processes of the container; none is no error then. @default false: to its first one */
  readonly all?: boolean;
}

/**
 * Sends a signal to a container's first process, which no other can be taken for. SIGKILL also ends one that is paused.
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
  const { process, places } = readState(directory);
  const number = typeof signal === 'number' ? signal : numberOf(signal);
  using first = process && openProcess(process);
  if (!options.all || places.length === 0) {
    if (first) send(first, number);
    else if (!options.all) throw new OciError('not-running', 'container not running');
  } else for (const pid of groupAt(places).pids()) sendIfMember(pid, number, places);
  if (number === signals.SIGKILL) thaw(places);
}

/** A signal by its name, with or without SIG. */
export type SignalWord = SignalName | (SignalName extends `SIG${infer Name}` ? Name : never);

function numberOf(signal: string): number {
  const name = signal.toUpperCase().replace(/^(?!SIG)/, 'SIG');
  const number = Object.hasOwn(signals, name) ? signals[name as SignalName] : undefined;
  if (number === undefined) throw new RangeError(`there is no signal ${quote(signal)}: give a name such as SIGTERM, or a number`);
  return number;
}

/** What is frozen on v1 does not even end before it thaws. What is gone has nothing to thaw. */
function thaw(places: readonly Place[]): void {
  const freezer = places.find(({ version, controllers }) => version === 1 && controllers.includes('freezer'));
  if (!freezer) return;
  try {
    writeFileSync(`${freezer.directory}/freezer.state`, 'THAWED', { flag: 'r+' });
  } catch (error) {
    if (!['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
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
