import { keyed, microseconds, number, type Source } from './counter.js';
import { pressuresOf, type Pressures } from './pressure.js';
import { sourceOf } from './source.js';
import type { IoStatistics } from './statistics.js';
import { ioStatistics as ioStatistics1 } from './v1/io-stats.js';
import { ioStatistics as ioStatistics2 } from './v2/io-stats.js';

/** What is looked at again and again while a group lives. */
export interface Gauges {
  readonly cpuMicroseconds: number | undefined;
  /** Page cache included. */
  readonly memoryBytes: number | undefined;
  /** Processes and threads. */
  readonly pids: number | undefined;
  readonly io: readonly IoStatistics[] | undefined;
  /** Version 2 only. */
  readonly pressure: Pressures | undefined;
}

type Reader = (source: Source) => Partial<Gauges>;

const nothing: Gauges = { cpuMicroseconds: undefined, memoryBytes: undefined, pids: undefined, io: undefined, pressure: undefined };

const readers: Readonly<Record<1 | 2, Readonly<Record<string, Reader>>>> = {
  1: {
    'cpuacct.usage': ({ read }) => ({ cpuMicroseconds: microseconds(number(read('cpuacct.usage'))) }),
    'memory.usage_in_bytes': ({ read }) => ({ memoryBytes: number(read('memory.usage_in_bytes')) }),
    'pids.current': ({ read }) => ({ pids: number(read('pids.current')) }),
    'blkio.throttle.io_service_bytes': (source) => ({ io: ioStatistics1(source) }),
  },
  2: {
    'cpu.stat': ({ read }) => ({ cpuMicroseconds: keyed(read('cpu.stat'), 'usage_usec') }),
    'memory.current': ({ read }) => ({ memoryBytes: number(read('memory.current')) }),
    'pids.current': ({ read }) => ({ pids: number(read('pids.current')) }),
    'io.stat': (source) => ({ io: ioStatistics2(source) }),
    'cpu.pressure': ({ read }) => ({ pressure: pressuresOf(read) }),
  },
};

/**
 * For looking at many groups often: finds out what a group tells, once, and returns what reads that. It takes a tenth of the time of {@link readStatistics}.
 * What goes, with its group, is `undefined` from then on.
 *
 * @param directories of one group, one in each hierarchy
 * @example
 * ```ts
 * import { createGroup, gaugesOf } from '@ctr/cgroups';
 * const group = await createGroup(`/ctr/watched-${process.pid}`, { pids: 20 });
 * const read = gaugesOf(group.directories);
 * console.log(read().pids); // 0
 * await group.remove();
 * console.log(read().pids); // undefined
 * ```
 */
export function gaugesOf(directories: readonly string[]): () => Gauges {
  const steps: (() => Partial<Gauges>)[] = [];
  // What the later directories tell counts less: on a hybrid system the unified one tells of processor time as well.
  for (const directory of directories.toReversed()) {
    const source = sourceOf(directory);
    for (const [file, read] of Object.entries(readers[source.files.includes('cgroup.controllers') ? 2 : 1]))
      if (source.files.includes(file)) steps.push(() => read(source));
  }
  return () => Object.assign({ ...nothing }, ...steps.map((step) => step())) as Gauges;
}
