import { existsSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

import { checkOptions, quote } from '@ctr/syscall';

import { CgroupError } from './error.js';
import { EventQueue, type EventStream } from './event-stream.js';
import { addTrigger, checkTriggers, type PressureEvent, type PressureTrigger } from './pressure-trigger.js';
import { watchMemory } from './v1/events.js';
import { watchFiles } from './v2/events.js';

/** What is counted by the kernel, and told with its count. */
export type CountedEventType = 'memoryLow' | 'memoryHigh' | 'memoryMax' | 'oom' | 'oomKill' | 'pidsMax';

/**
 * What happens to a group.
 *
 * - `populated`: its first process, or that of a group below, has come, or its last one has ended (version 2)
 * - `frozen`: all its processes have stopped, or go on (version 2)
 * - `memoryLow`, `memoryHigh`, `memoryMax`: its memory was taken although it had less than `memory.low`, is above `memory.high`, or has reached its limit (version 2)
 * - `oom`: it could not be given memory; on version 1 before a process is killed for it, and counted since it is watched
 * - `oomKill`: a process was killed for lack of memory
 * - `pidsMax`: a new process was refused (version 2)
 * - `pressure`: a trigger was met (version 2)
 * - `memoryUsage`: its memory has crossed a threshold, upwards or downwards (version 1)
 * - `memoryPressure`: the kernel takes memory from it, with so much trouble (version 1)
 * - `removed`: it is gone; nothing comes after that
 */
export type CgroupEvent =
  | { readonly type: 'populated'; readonly populated: boolean }
  | { readonly type: 'frozen'; readonly frozen: boolean }
  /** `count`: how often since the group was made. */
  | { readonly type: CountedEventType; readonly count: number }
  | { readonly type: 'memoryUsage'; readonly thresholdBytes: number; readonly currentBytes: number }
  | { readonly type: 'memoryPressure'; readonly level: 'low' | 'medium' | 'critical' }
  | { readonly type: 'removed' }
  | PressureEvent;

/** Which events are told, and how long. */
export interface EventOptions {
  /** Ends the iteration: it throws the signal's reason. */
  readonly cancelSignal?: AbortSignal;
  /** Only these, every one of which can be told of this group. @default whatever can be told of it */
  readonly types?: readonly CgroupEvent['type'][];
  /** When to tell of pressure. Version 2 only. @default never */
  readonly pressure?: readonly PressureTrigger[];
  /** At how much memory, in bytes, to tell of it. Version 1 only. @default never */
  readonly memoryUsageBytes?: readonly number[];
  /** At which trouble with memory to tell of it. Version 1 only. @default never */
  readonly memoryPressureLevels?: readonly ('low' | 'medium' | 'critical')[];
}

/**
 * What happens to a group, as it happens: the kernel tells, by inotify(7) on version 2, by eventfd(2) for the memory of version 1, and by poll(2) for pressure.
 * Version 1 does not tell when a group is populated or frozen, or when a process was refused: `stats()` has how often that was.
 *
 * Watching begins at once. The iteration ends when the group is removed; leaving it closes all that is open for it. Throws a {@link CgroupError} of kind `gone` for a group that is
 * not there, of kind `no-controller` where nothing of what is asked for is told, and a `SyscallError` (EINVAL, EACCES, ENOSPC) where the kernel refuses it.
 *
 * @param directories of one group, one in each hierarchy
 * @example
 * ```ts
 * import { createGroup, watchEvents } from '@ctr/cgroups';
 * const group = await createGroup(`/ctr/watched-${process.pid}`, { memoryBytes: 64 * 2 ** 20 });
 * setTimeout(() => void group.remove(), 50);
 * for await (const event of watchEvents(group.directories)) console.log(event.type); // oomKill, …, and removed in the end
 * ```
 */
export function watchEvents(directories: readonly string[], options: EventOptions = {}): EventStream<CgroupEvent> {
  checkOptions('events', options, ['cancelSignal', 'types', 'pressure', 'memoryUsageBytes', 'memoryPressureLevels']);
  const { cancelSignal, types, pressure = [], memoryUsageBytes = [], memoryPressureLevels = [] } = options;
  checkTriggers(pressure);
  checkNotices(memoryUsageBytes, memoryPressureLevels);
  if (directories.length === 0 || !directories.every((directory) => existsSync(directory)))
    throw new CgroupError('gone', `the group is not there (any more): ${directories.join(', ') || 'it has no directory'}`);
  const queue = new EventQueue<CgroupEvent>(cancelSignal, types && ((event) => types.includes(event.type)));
  try {
    const told = new Set<CgroupEvent['type']>(['removed']);
    watchRemoval(queue, directories);
    for (const directory of directories)
      for (const type of [...watchFiles(queue, directory), ...watchMemory(queue, directory, { memoryUsageBytes, memoryPressureLevels })]) told.add(type);
    const unified = directories.find((directory) => existsSync(`${directory}/cgroup.controllers`));
    for (const trigger of pressure) {
      if (unified === undefined) throw notTold('pressure', directories);
      addTrigger(queue, trigger, unified, () => undefined);
      told.add('pressure');
    }
    const wanted = types ?? [
      ...(memoryUsageBytes.length > 0 ? ['memoryUsage' as const] : []),
      ...(memoryPressureLevels.length > 0 ? ['memoryPressure' as const] : []),
    ];
    for (const type of wanted) if (!told.has(type)) throw notTold(type, directories);
  } catch (error) {
    queue.end();
    throw error;
  }
  return queue;
}

function notTold(type: string, directories: readonly string[]): CgroupError {
  return new CgroupError(
    'no-controller',
    `${type} is not told of the group in ${directories.join(', ')}: its controller is not there, its version of control groups does not tell it, or it was not asked for with its figures`,
  );
}

function checkNotices(memoryUsageBytes: readonly number[], memoryPressureLevels: readonly string[]): void {
  for (const bytes of memoryUsageBytes)
    if (!Number.isSafeInteger(bytes) || bytes < 1) throw new RangeError(`memoryUsageBytes has ${bytes}: 1 to 2^53 - 1 bytes`);
  for (const level of memoryPressureLevels)
    if (!['low', 'medium', 'critical'].includes(level)) throw new TypeError(`memoryPressureLevels takes low, medium and critical, not ${quote(level)}`);
}

/** The kernel tells nothing of a removed group itself, but of a directory that is gone from the one above. */
function watchRemoval(queue: EventQueue<CgroupEvent>, directories: readonly string[]): void {
  for (const directory of directories) {
    const name = basename(directory);
    const watcher = watch(dirname(directory), (_, file) => {
      if ((file !== null && file !== name) || directories.some((other) => existsSync(other))) return;
      queue.push('removed', { type: 'removed' });
      queue.end();
    });
    queue.onClose(() => watcher.close());
    watcher.on('error', (error) => queue.fail(error));
  }
}
