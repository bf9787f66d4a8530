import { existsSync, readSync } from 'node:fs';

import { call, checkOptions, openFd, openFlags, watchUrgent, quote } from '@ctr/syscall';

import { CgroupError } from './error.js';
import { EventQueue, type EventStream } from './event-stream.js';
import type { Hints } from './hints.js';
import { parsePressure, pressureResources, SYSTEM_PRESSURE, type Pressure, type PressureResource } from './pressure.js';

/** When the kernel is to tell of pressure. */
export interface PressureTrigger {
  readonly resource: PressureResource;
  /** The time in which at least one process waited, or in which all that could have run did. */
  readonly kind: 'some' | 'full';
  /** How much of that within one window is too much: 1 to the whole window. */
  readonly stallMicroseconds: number;
  /** 500000 to 10000000. Without CAP_SYS_RESOURCE, a whole number of 2 seconds. @default 2000000 */
  readonly windowMicroseconds?: number;
}

/** A trigger was met. The kernel tells it once in each window at most. */
export interface PressureEvent {
  readonly type: 'pressure';
  /** The one that was met, as it was given. */
  readonly trigger: PressureTrigger;
  /** How often it was met since it is watched. */
  readonly count: number;
  /** What the kernel tells now. */
  readonly pressure: Pressure | undefined;
}

/** What is watched, and how long. */
export interface WatchPressureOptions {
  /** The directory of a group on version 2. @default the whole system */
  readonly directory?: string;
  /** Ends the iteration: it throws the signal's reason. */
  readonly cancelSignal?: AbortSignal;
}

/** kernel/sched/psi.c: WINDOW_MIN_US, WINDOW_MAX_US */
const MIN_WINDOW_MICROSECONDS = 500_000;
const MAX_WINDOW_MICROSECONDS = 10_000_000;
/** The only window, and its multiples, that everyone may ask for. */
const DEFAULT_WINDOW_MICROSECONDS = 2_000_000;

const triggerHints = {
  EINVAL: 'without CAP_SYS_RESOURCE the window has to be a whole number of 2 seconds; of irq there is only full, and of cpu, for the whole system, only some',
  EBUSY: 'somebody else is changing the triggers of this file',
  EOPNOTSUPP: 'pressure is not told: the kernel was started with psi=0, or cgroup.pressure of the group is 0',
} satisfies Hints;

/**
 * Tells whenever the processes of a group, or of the whole system, wait too long for a resource. The kernel watches: nothing is read until it tells.
 *
 * Throws a `RangeError` or `TypeError` for triggers that cannot be, a {@link CgroupError} of kind `gone` for a group that is not there, and a `SyscallError`
 * (EINVAL, EACCES, EOPNOTSUPP) where the kernel refuses one.
 *
 * @see Documentation/accounting/psi.rst of the kernel, "Monitoring for pressure thresholds"
 * @example
 * ```ts
 * import { watchPressure } from '@ctr/cgroups';
 * // 100 ms of any 2 s in which somebody waited for a processor
 * const events = watchPressure([{ resource: 'cpu', kind: 'some', stallMicroseconds: 100_000 }], { cancelSignal: AbortSignal.timeout(100) });
 * try {
 *   for await (const { pressure } of events) console.log(pressure?.some?.avg10);
 * } catch {
 *   // The time is over.
 * }
 * ```
 */
export function watchPressure(triggers: readonly PressureTrigger[], options: WatchPressureOptions = {}): EventStream<PressureEvent> {
  checkOptions('watchPressure', options, ['directory', 'cancelSignal']);
  const { directory, cancelSignal } = options;
  checkTriggers(triggers);
  const queue = new EventQueue<PressureEvent>(cancelSignal);
  try {
    for (const trigger of triggers) addTrigger(queue, trigger, directory, () => queue.end());
  } catch (error) {
    queue.end();
    throw error;
  }
  return queue;
}

/** Throws a `TypeError` or `RangeError` for what the kernel would refuse of anybody. */
export function checkTriggers(triggers: readonly PressureTrigger[]): void {
  if (!Array.isArray(triggers)) throw new TypeError('the pressure triggers are a list');
  for (const trigger of triggers as readonly PressureTrigger[]) {
    checkOptions('a pressure trigger', trigger, ['resource', 'kind', 'stallMicroseconds', 'windowMicroseconds']);
    const { resource, kind, stallMicroseconds: stall, windowMicroseconds: window = DEFAULT_WINDOW_MICROSECONDS } = trigger;
    if (!pressureResources.includes(resource)) throw new TypeError(`there is no pressure on ${quote(resource)}: ${pressureResources.join(', ')}`);
    if (kind !== 'some' && kind !== 'full') throw new TypeError(`the kind of a pressure is some or full, not ${quote(kind)}`);
    if (!Number.isInteger(window) || window < MIN_WINDOW_MICROSECONDS || window > MAX_WINDOW_MICROSECONDS)
      throw new RangeError(`windowMicroseconds is ${window}: ${MIN_WINDOW_MICROSECONDS} to ${MAX_WINDOW_MICROSECONDS} microseconds`);
    if (!Number.isInteger(stall) || stall < 1 || stall > window)
      throw new RangeError(`stallMicroseconds is ${stall}: 1 to the ${window} microseconds of its window`);
  }
}

/** Sets a trigger, and watches it until the queue ends, or its group does. */
export function addTrigger(
  queue: Pick<EventQueue<PressureEvent>, 'push' | 'fail' | 'onClose'>,
  trigger: PressureTrigger,
  directory: string | undefined,
  onGone: () => void,
): void {
  const { resource, kind, stallMicroseconds, windowMicroseconds = DEFAULT_WINDOW_MICROSECONDS } = trigger;
  const path = directory === undefined ? `${SYSTEM_PRESSURE}/${resource}` : `${directory}/${resource}.pressure`;
  checkThere(path, directory);
  const file = openFd(path, { flags: openFlags.O_RDWR | openFlags.O_NONBLOCK });
  queue.onClose(() => file.close());
  // kernel/sched/psi.c takes the last character for the end of the text.
  const text = `${kind} ${stallMicroseconds} ${windowMicroseconds}\n`;
  call({ call: 'write', args: [file, text, text.length], purpose: `watch the pressure on ${resource}`, hints: triggerHints });
  const key = [resource, kind, stallMicroseconds, windowMicroseconds].join(' ');
  const bytes = Buffer.alloc(512);
  let count = 0;
  const watch = watchUrgent(file, () => {
    try {
      const pressure = parsePressure(bytes.toString('latin1', 0, readSync(file.number, bytes, 0, bytes.length, 0)));
      count++;
      queue.push(`pressure ${key}`, { type: 'pressure', trigger, count, pressure });
    } catch (error) {
      watch.close();
      // The group was removed while the file was open.
      if ((error as NodeJS.ErrnoException).code === 'ENODEV') onGone();
      else queue.fail(error);
    }
  });
  queue.onClose(() => watch.close());
}

function checkThere(path: string, directory: string | undefined): void {
  if (existsSync(path)) return;
  if (directory !== undefined && !existsSync(directory)) throw new CgroupError('gone', `the group ${directory} is not there (any more)`);
  throw new CgroupError(
    'no-controller',
    `${path} is not there: pressure is told by kernels with CONFIG_PSI that were not started with psi=0 and, for a single group, on cgroup version 2`,
  );
}
