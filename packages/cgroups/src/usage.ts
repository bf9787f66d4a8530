import { readdirSync, readFileSync } from 'node:fs';

import type { ReadFile, Stats, Usage } from './counter.js';
import { cpuacctNow, cpuacctUsage } from './v1/cpuacct-stats.js';
import { memoryNow as memoryNow1, memoryUsage as memoryUsage1 } from './v1/memory-stats.js';
import { pidsNow as pidsNow1, pidsUsage as pidsUsage1 } from './v1/pids-stats.js';
import { cpuNow, cpuUsage } from './v2/cpu-stats.js';
import { memoryNow as memoryNow2, memoryUsage as memoryUsage2 } from './v2/memory-stats.js';
import { pidsNow as pidsNow2, pidsUsage as pidsUsage2 } from './v2/pids-stats.js';

/** A directory of a group, and what can be read there. */
export interface Counted {
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
  readonly directory: string;
}

const nothing: Stats = {
  cpuMicroseconds: undefined,
  cpuUserMicroseconds: undefined,
  cpuSystemMicroseconds: undefined,
  memoryPeakBytes: undefined,
  memoryCurrentBytes: undefined,
  oomKills: undefined,
  pidsPeak: undefined,
  pidsCurrent: undefined,
  pidsMaxHits: undefined,
};

type Counter = readonly [usage: (read: ReadFile) => Partial<Usage>, now: (read: ReadFile) => Partial<Stats>];

const counters: Readonly<Record<1 | 2, Readonly<Record<string, Counter>>>> = {
  1: { cpuacct: [cpuacctUsage, cpuacctNow], memory: [memoryUsage1, memoryNow1], pids: [pidsUsage1, pidsNow1] },
  2: { cpu: [cpuUsage, cpuNow], memory: [memoryUsage2, memoryNow2], pids: [pidsUsage2, pidsNow2] },
};

/**
 * What a group has used, read at once: to be taken when its last process has ended, right before it is removed.
 *
 * @param directories of one group, one in each hierarchy
 * @example
 * ```ts
 * import { groupName, planGroup, readUsage } from '@ctr/cgroups';
 * const { directories } = planGroup(groupName(), { pids: 20 });
 * const { pidsPeak } = readUsage(directories); // undefined: there is no such group yet
 * ```
 */
export function readUsage(directories: readonly string[]): Usage {
  return usageOf(directories.map(inspect));
}

/** {@link readUsage} of directories whose controllers are known. */
export function usageOf(groups: readonly Counted[]): Usage {
  const { cpuMicroseconds, memoryPeakBytes, oomKills, pidsPeak, pidsMaxHits } = collect(groups, false);
  return { cpuMicroseconds, memoryPeakBytes, oomKills, pidsPeak, pidsMaxHits };
}

/** What a group has used, and uses now. */
export function statsOf(groups: readonly Counted[]): Stats {
  return collect(groups, true);
}

function collect(groups: readonly Counted[], now: boolean): Stats {
  let stats = nothing;
  for (const { version, controllers, directory } of groups) {
    const read: ReadFile = (file) => readIfThere(`${directory}/${file}`);
    // cpu.stat of v2 is there without the controller.
    const names = version === 2 ? new Set([...controllers, 'cpu']) : controllers;
    for (const name of names) {
      const counter = counters[version][name];
      if (counter) stats = { ...stats, ...counter[0](read), ...(now && counter[1](read)) };
    }
  }
  return stats;
}

/** Which controllers a group's directory has, by the names of its files. */
function inspect(directory: string): Counted {
  const files = readdirIfThere(directory);
  const version = files.includes('cgroup.controllers') ? 2 : 1;
  return { version, directory, controllers: [...new Set(files.map((file) => file.slice(0, file.indexOf('.'))))] };
}

function readdirIfThere(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    // Node reads a file as UTF-8 in a single call into C++.
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ENODEV: the group was removed while the file was open.
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'EOPNOTSUPP') return undefined;
    throw error;
  }
}
