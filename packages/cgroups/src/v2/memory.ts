import { checkUsage } from '../check-usage.js';
import { CgroupError } from '../error.js';
import type { Limits } from '../limits.js';
import { noSuchLimit } from '../no-such-limit.js';
import type { ReadNow, Setting } from '../setting.js';

const noSwap = 'this kernel does not count swap: it was built without it, or started with swapaccount=0';

const files = [
  ['memoryMinBytes', 'memory.min'],
  ['memoryLowBytes', 'memory.low'],
  ['memoryReservationBytes', 'memory.low'],
  ['memoryHighBytes', 'memory.high'],
  ['memoryBytes', 'memory.max'],
] as const;

/** `memory.*`. @see Documentation/admin-guide/cgroup-v2.rst of the kernel, Memory Interface Files */
export function memory(limits: Limits): Setting[] {
  checkHas(limits);
  const settings: Setting[] = files.flatMap(([name, file]) => (limits[name] === undefined ? [] : [{ file, value: String(limits[name]) }]));
  const { swapBytes, memoryOomGroup } = limits;
  if (swapBytes !== undefined) settings.push({ file: 'memory.swap.max', value: String(swapBytes), absent: noSwap });
  if (memoryOomGroup !== undefined) settings.push({ file: 'memory.oom.group', value: memoryOomGroup ? '1' : '0' });
  return settings;
}

/** The same for a group that is there. */
export function memoryChange(limits: Limits, read: ReadNow): Setting[] {
  if (limits.memoryCheckBeforeUpdate) {
    checkUsage('memoryBytes', limits.memoryBytes, read('memory.current'));
    checkUsage('swapBytes', limits.swapBytes, read('memory.swap.current'));
  }
  return memory(limits);
}

function checkHas({ memorySwappiness, memoryOomKill, kernelMemoryBytes, kernelTcpMemoryBytes, memoryUseHierarchy }: Limits): void {
  if (memorySwappiness !== undefined)
    throw noSuchLimit('memorySwappiness', 2, 'vm.swappiness of sysctl(8) is for the whole system; swapBytes: 0 keeps a group from swapping');
  if (memoryOomKill === false) throw noSuchLimit('memoryOomKill', 2, 'the kernel always kills in the end; memoryHighBytes slows the group down before');
  if (typeof kernelMemoryBytes === 'number') throw noSuchLimit('kernelMemoryBytes', 2, 'memory of the kernel is part of memoryBytes');
  if (typeof kernelTcpMemoryBytes === 'number') throw noSuchLimit('kernelTcpMemoryBytes', 2, "memory of TCP's buffers is part of memoryBytes");
  if (memoryUseHierarchy === false)
    throw new CgroupError('no-such-limit', 'memoryUseHierarchy cannot be false: since kernel 5.11 the groups below always count');
}
