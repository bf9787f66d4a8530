import { existsSync, readFileSync, watch } from 'node:fs';

import { valuesOf } from '../counter.js';
import type { EventQueue } from '../event-stream.js';
import type { CgroupEvent, CountedEventType } from '../events.js';

const counted: Readonly<Record<string, Readonly<Record<string, CountedEventType>>>> = {
  'memory.events': { low: 'memoryLow', high: 'memoryHigh', max: 'memoryMax', oom: 'oom', oom_kill: 'oomKill' },
  'pids.events': { max: 'pidsMax' },
};

/**
 * Watches the files of a group that the kernel tells changes of by inotify(7): `cgroup.events`, `memory.events` and `pids.events`.
 * Node's own watcher is inotify: of a control file it sees each change that the kernel tells. A path is right here, since it is of a group of this process's making.
 *
 * @returns the types of the events that come
 * @see Documentation/admin-guide/cgroup-v2.rst of the kernel
 */
export function watchFiles(queue: EventQueue<CgroupEvent>, directory: string): CgroupEvent['type'][] {
  const types: CgroupEvent['type'][] = [];
  const state = `${directory}/cgroup.events`;
  if (existsSync(state)) {
    watchValues(queue, state, (key, value) => {
      if (key === 'populated') queue.push(key, { type: key, populated: value > 0 });
      if (key === 'frozen') queue.push(key, { type: key, frozen: value > 0 });
    });
    types.push('populated', 'frozen');
  }
  for (const [file, names] of Object.entries(counted)) {
    const path = `${directory}/${file}`;
    if (!existsSync(path)) continue;
    watchValues(queue, path, (key, count) => {
      const type = Object.hasOwn(names, key) ? names[key] : undefined;
      if (type !== undefined) queue.push(type, { type, count });
    });
    types.push(...Object.values(names));
  }
  return types;
}

/** Calls back for each value of a file that becomes another. */
function watchValues(queue: EventQueue<CgroupEvent>, path: string, changed: (key: string, value: number) => void): void {
  let known: ReadonlyMap<string, number> = new Map();
  const look = (tell: boolean): void => {
    let values: ReadonlyMap<string, number>;
    try {
      values = valuesOf(readFileSync(path, 'latin1'));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Its removal is told by the directory above.
      if (code !== 'ENOENT' && code !== 'ENODEV') queue.fail(error);
      return;
    }
    const before = known;
    known = values;
    if (tell) for (const [key, value] of values) if (value !== before.get(key)) changed(key, value);
  };
  const watcher = watch(path, () => look(true));
  queue.onClose(() => watcher.close());
  watcher.on('error', (error) => queue.fail(error));
  // What changes from here on is told.
  look(false);
}
