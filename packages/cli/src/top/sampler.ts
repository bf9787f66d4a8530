import { gaugesOf, readStatistics, type Gauges } from '@ctr/cgroups';

import { sum } from '../stats.js';
import type { Find, FoundContainer } from './find.js';
import { pidsIn, usageOfProcesses } from './processes.js';

/** What a container uses at the moment. What is not known is `undefined`. */
export interface Row {
  readonly name: string;
  /** The first process that was found in it, on the host. */
  readonly pid: number | undefined;
  /** Of one processor. Not known at the first look. */
  readonly cpuPercent: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly memoryLimitBytes: number | 'max' | undefined;
  /** Processes and threads. */
  readonly pids: number | undefined;
  readonly pidsMax: number | 'max' | undefined;
  readonly readBytesPerSecond: number | undefined;
  readonly writeBytesPerSecond: number | undefined;
  /** The share of the last ten seconds, in percent, in which some process had to wait. */
  readonly pressure: { readonly cpu: number | undefined; readonly memory: number | undefined; readonly io: number | undefined };
  /** No controller counts time and memory: both are what the processes say of themselves. */
  readonly estimated: boolean;
}

/** A container that was seen before. */
interface Known {
  readonly read: () => Gauges;
  readonly directories: number;
  pid: number | undefined;
  limits: { readonly memory: number | 'max' | undefined; readonly pids: number | 'max' | undefined };
  before: { readonly at: number; readonly cpu: number | undefined; readonly read: number | undefined; readonly write: number | undefined } | undefined;
}

/** Limits change seldom: they are read again every so many looks, each container's at another one. */
const LIMITS_EVERY = 10;

/** Looks at all containers of this user that run. */
export class Sampler {
  readonly #find: Find;
  #known = new Map<string, Known>();
  #looks = 0;

  constructor(find: Find) {
    this.#find = find;
  }

  /** What they use, those that use most processor time first. */
  look(): Row[] {
    this.#looks++;
    const known = new Map<string, Known>();
    const rows: Row[] = [];
    for (const group of this.#find()) {
      const container = this.#knownOf(group, known.size);
      if (!container) continue;
      known.set(group.key, container);
      rows.push(rowOf(group, container, performance.now()));
    }
    this.#known = known;
    return rows.toSorted((a, b) => (b.cpuPercent ?? -1) - (a.cpuPercent ?? -1) || (b.memoryBytes ?? 0) - (a.memoryBytes ?? 0) || (a.name < b.name ? -1 : 1));
  }

  #knownOf({ key, directories, isAlive }: FoundContainer, index: number): Known | undefined {
    let container = this.#known.get(key);
    // It is made one hierarchy after the other: there may be more of it now.
    if (container?.directories !== directories.length) {
      if (!isAlive()) return undefined;
      container = { read: gaugesOf(directories), directories: directories.length, pid: undefined, limits: limitsOf(directories), before: undefined };
    } else if ((this.#looks + index) % LIMITS_EVERY === 0) container.limits = limitsOf(directories);
    return container;
  }
}

function limitsOf(directories: readonly string[]): Known['limits'] {
  const { memory, pids } = readStatistics(directories, { only: ['memory', 'pids'] });
  return { memory: memory?.limitBytes, pids: pids?.max };
}

function rowOf({ name, directories }: FoundContainer, container: Known, at: number): Row {
  const gauges = container.read();
  const estimated = gauges.cpuMicroseconds === undefined && gauges.memoryBytes === undefined;
  const members = estimated || container.pid === undefined ? pidsIn(directories[0] ?? '') : undefined;
  container.pid ??= members?.[0];
  const own = estimated && members ? usageOfProcesses(members) : undefined;
  const cpu = gauges.cpuMicroseconds ?? own?.cpuMicroseconds;
  const read = gauges.io && sum(gauges.io.map(({ readBytes }) => readBytes));
  const write = gauges.io && sum(gauges.io.map(({ writeBytes }) => writeBytes));
  const { before } = container;
  const perSecond = (now: number | undefined, then: number | undefined): number | undefined =>
    now === undefined || then === undefined || !before || at <= before.at ? undefined : (Math.max(0, now - then) * 1000) / (at - before.at);
  container.before = { at, cpu, read, write };
  const cpuPerSecond = perSecond(cpu, before?.cpu);
  const { pressure } = gauges;
  return {
    name,
    pid: container.pid,
    cpuPercent: cpuPerSecond === undefined ? undefined : cpuPerSecond / 10_000,
    memoryBytes: gauges.memoryBytes ?? own?.memoryBytes,
    memoryLimitBytes: container.limits.memory,
    pids: gauges.pids ?? members?.length,
    pidsMax: container.limits.pids,
    readBytesPerSecond: perSecond(read, before?.read),
    writeBytesPerSecond: perSecond(write, before?.write),
    pressure: { cpu: pressure?.cpu?.some?.avg10, memory: pressure?.memory?.some?.avg10, io: pressure?.io?.some?.avg10 },
    estimated,
  };
}
