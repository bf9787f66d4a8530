import type { Source } from './counter.js';
import type { CpusetStatistics } from './statistics.js';

/** More than any kernel can be built for (CONFIG_NR_CPUS, CONFIG_NODES_SHIFT): a text with more is none of the kernel's. */
const MAX_NUMBER = 65_535;

/** `cpuset.effective_cpus` and `_mems` of v1. @see Documentation/admin-guide/cgroup-v1/cpusets.rst of the kernel */
export function cpusetStatistics1({ read }: Source): CpusetStatistics {
  return { effectiveCpus: numbersOf(read('cpuset.effective_cpus')), effectiveMemoryNodes: numbersOf(read('cpuset.effective_mems')) };
}

/** `cpuset.cpus.effective` and `cpuset.mems.effective` of v2. */
export function cpusetStatistics2({ read }: Source): CpusetStatistics {
  return { effectiveCpus: numbersOf(read('cpuset.cpus.effective')), effectiveMemoryNodes: numbersOf(read('cpuset.mems.effective')) };
}

/** `0-2,7` → 0, 1, 2, 7; the list may be empty. @see cpuset(7), List format */
function numbersOf(text: string | undefined): number[] | undefined {
  if (text === undefined) return undefined;
  const numbers: number[] = [];
  for (const range of text.trim().split(',').filter(Boolean)) {
    const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range) ?? [];
    if (from === undefined || Number(to) > MAX_NUMBER) return undefined;
    for (let next = Number(from); next <= Number(to); next++) numbers.push(next);
    if (numbers.length > MAX_NUMBER) return undefined;
  }
  return numbers;
}
