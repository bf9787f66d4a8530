import { checkOptions, type Step } from '@ctr/syscall';

import { writeProcFile } from './proc-file.js';

/** How far a clock of a time namespace is ahead of the machine's; behind it with negative seconds. */
export interface TimeOffset {
  readonly seconds: number;
  /** 0 to 999999999, always forward. @default 0 */
  readonly nanoseconds?: number;
}

/** The clocks that a time namespace has of its own. The time of day (CLOCK_REALTIME) is not among them. */
export interface TimeOffsets {
  /** CLOCK_MONOTONIC, which stands still while the machine is suspended. @default no offset */
  readonly monotonic?: TimeOffset;
  /** CLOCK_BOOTTIME, which `uptime` shows. @default no offset */
  readonly boottime?: TimeOffset;
}

/**
 * Steps that set the clocks of a time namespace, after `create('time')` and before the first process is in it:
 * that is the next process, made by `continueInChild({ memory: 'copied' })` (one that shares its memory stays in the old one).
 *
 * Fails with EPERM without CAP_SYS_TIME in its user namespace, with EACCES once a process is in the namespace, with ERANGE for a clock that would be negative.
 * Throws a `RangeError` for what is not whole seconds and nanoseconds, a `TypeError` if no clock is named.
 *
 * @see time_namespaces(7)
 * @example A machine that seems to have been up for a day longer
 * ```ts
 * import { create, timeOffsets } from '@ctr/namespaces';
 * import { continueInChild } from '@ctr/syscall';
 * const steps = [...create('time'), ...timeOffsets({ boottime: { seconds: 86_400 } }), ...continueInChild({ memory: 'copied' })];
 * ```
 */
export function timeOffsets(offsets: TimeOffsets): Step[] {
  checkOptions('timeOffsets', offsets, ['monotonic', 'boottime']);
  let text = '';
  if (offsets.monotonic) text += line('monotonic', offsets.monotonic);
  if (offsets.boottime) text += line('boottime', offsets.boottime);
  if (text === '') throw new TypeError('timeOffsets: no clock is named');
  return writeProcFile('/proc/self/timens_offsets', text, 'set the clocks of the time namespace', {
    EACCES: 'a process is in the time namespace already: its clocks are set before the first one',
    ERANGE: 'a clock cannot be set to before the start of the machine, nor to more than 146 years after it',
  });
}

function line(clock: string, offset: TimeOffset): string {
  checkOptions(`timeOffsets: ${clock}`, offset, ['seconds', 'nanoseconds']);
  const { seconds, nanoseconds = 0 } = offset;
  if (!Number.isSafeInteger(seconds)) throw new RangeError(`timeOffsets: ${clock}: ${seconds} is not a whole number of seconds`);
  if (!Number.isInteger(nanoseconds) || nanoseconds < 0 || nanoseconds > 999_999_999)
    throw new RangeError(`timeOffsets: ${clock}: ${nanoseconds} nanoseconds are not 0 to 999999999`);
  return `${clock} ${seconds} ${nanoseconds}\n`;
}
