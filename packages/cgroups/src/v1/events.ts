import { existsSync, readFileSync, readSync } from 'node:fs';

import { call, Fd, nodeTimers, openFd, openFlags, readable } from '@ctr/syscall';

import { keyed } from '../counter.js';
import type { EventQueue } from '../event-stream.js';
import type { CgroupEvent } from '../events.js';
import type { Hints } from '../hints.js';

/** How long after the kernel has told of an OOM the number of its kills is read again. */
const KILL_MS = 1000;

const controlHints = {
  EINVAL: 'the kernel has no such event: of a group with kernel memory limits alone, or of the group at the top',
  ENODEV: 'the group is gone: it was removed already',
  EACCES: 'cgroup.event_control of the group belongs to someone else',
} satisfies Hints;

/** What is asked for of version 1 alone. */
export interface MemoryNotices {
  readonly memoryUsageBytes: readonly number[];
  readonly memoryPressureLevels: readonly ('low' | 'medium' | 'critical')[];
}

/**
 * Watches the memory of a group by eventfd(2) and `cgroup.event_control`: OOMs, thresholds of usage, and levels of pressure.
 * The kernel tells of an OOM before it kills, and of the kill itself not at all: the number of kills is read for a second after an OOM.
 *
 * @returns the types of the events that come
 * @see Documentation/admin-guide/cgroup-v1/memory.rst of the kernel
 */
export function watchMemory(
  queue: EventQueue<CgroupEvent>,
  directory: string,
  { memoryUsageBytes, memoryPressureLevels }: MemoryNotices,
): CgroupEvent['type'][] {
  if (!existsSync(`${directory}/memory.oom_control`)) return [];
  const types: CgroupEvent['type'][] = ['oom', 'oomKill'];
  const tellKills = watchKills(queue, directory);
  let ooms = 0;
  watchFile(queue, directory, 'memory.oom_control', '', (times) => {
    ooms += times;
    queue.push('oom', { type: 'oom', count: ooms });
    tellKills();
  });
  for (const thresholdBytes of memoryUsageBytes) {
    watchFile(queue, directory, 'memory.usage_in_bytes', ` ${thresholdBytes}`, () => {
      const currentBytes = Number(readFileSync(`${directory}/memory.usage_in_bytes`, 'latin1'));
      queue.push(`memoryUsage ${thresholdBytes}`, { type: 'memoryUsage', thresholdBytes, currentBytes });
    });
    types.push('memoryUsage');
  }
  for (const level of memoryPressureLevels) {
    watchFile(queue, directory, 'memory.pressure_level', ` ${level}`, () => queue.push(`memoryPressure ${level}`, { type: 'memoryPressure', level }));
    types.push('memoryPressure');
  }
  return types;
}

/** Calls back with how often it has happened since the last time. */
function watchFile(queue: EventQueue<CgroupEvent>, directory: string, file: string, argument: string, happened: (times: number) => void): void {
  // sys/eventfd.h: EFD_CLOEXEC and EFD_NONBLOCK are O_CLOEXEC and O_NONBLOCK.
  const event = new Fd(call({ call: 'eventfd2', args: [0, openFlags.O_CLOEXEC | openFlags.O_NONBLOCK], purpose: `be told of ${file}` }), 'eventfd');
  const controller = new AbortController();
  queue.onClose(() => {
    controller.abort();
    event.close();
  });
  const group = openFd(directory, { directory: true });
  try {
    using watched = openFd(file, { at: group, flags: openFlags.O_RDONLY });
    using control = openFd('cgroup.event_control', { at: group, flags: openFlags.O_WRONLY });
    const text = `${event.number} ${watched.number}${argument}`;
    call({ call: 'write', args: [control, text, text.length], purpose: `be told of ${file}`, hints: controlHints });
  } finally {
    group.close();
  }
  const bytes = Buffer.alloc(8);
  const wait = async (): Promise<void> => {
    while (!queue.ended) {
      await readable(event, { cancelSignal: controller.signal });
      readSync(event.number, bytes);
      // When the group is removed, the kernel tells once more.
      if (existsSync(directory)) happened(Number(bytes.readBigUInt64LE()));
    }
  };
  wait().catch((error: unknown) => queue.fail(error));
}

/** Reads for a moment, again and again, how many were killed. */
function watchKills(queue: EventQueue<CgroupEvent>, directory: string): () => void {
  const read = (): number | undefined => {
    try {
      return keyed(readFileSync(`${directory}/memory.oom_control`, 'latin1'), 'oom_kill');
    } catch {
      // It is gone: the directory above tells.
      return undefined;
    }
  };
  let known = read();
  let timer: NodeJS.Timeout | undefined;
  let until = 0;
  queue.onClose(() => nodeTimers.clearTimeout(timer));
  const look = (pauseMs: number): void => {
    const count = read();
    if (count !== undefined && count !== known) {
      known = count;
      queue.push('oomKill', { type: 'oomKill', count });
    }
    if (!queue.ended && nodeTimers.now() < until) timer = nodeTimers.setTimeout(look, pauseMs, pauseMs * 2);
  };
  return () => {
    nodeTimers.clearTimeout(timer);
    until = nodeTimers.now() + KILL_MS;
    look(1);
  };
}
