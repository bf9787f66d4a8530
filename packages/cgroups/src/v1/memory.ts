import { CgroupError } from '../error.js';
import { checkUsage } from '../check-usage.js';
import type { Limits } from '../limits.js';
import { noSuchLimit } from '../no-such-limit.js';
import type { ReadNow, Setting } from '../setting.js';

const noSwap = 'this kernel does not count swap: it was built without it, or started with swapaccount=0';
const deprecated = 'newer kernels do not have this file any more';

/** `memory.*`. @see Documentation/admin-guide/cgroup-v1/memory.rst of the kernel */
export function memory(limits: Limits): Setting[] {
  const { memoryBytes, swapBytes } = limits;
  const settings: Setting[] = memoryBytes === undefined ? [] : [memoryLimit(memoryBytes)];
  // The sum must not be the lower of both at any moment: from no limit at all, memory comes first.
  if (swapBytes !== undefined) settings.push(sumLimit(sumOf(memoryBytes ?? 'max', swapBytes)));
  return [...settings, ...others(limits)];
}

/** The same for a group that is there. Where one of memory and swap is given, the other stays as it is, so the sum changes. */
export function memoryChange(limits: Limits, read: ReadNow): Setting[] {
  if (limits.memoryCheckBeforeUpdate) {
    checkUsage('memoryBytes', limits.memoryBytes, read('memory.usage_in_bytes'));
    if (typeof limits.memoryBytes === 'number' && typeof limits.swapBytes === 'number')
      checkUsage('memoryBytes and swapBytes', limits.memoryBytes + limits.swapBytes, read('memory.memsw.usage_in_bytes'));
  }
  const memoryNow = amount(read('memory.limit_in_bytes'));
  const sumNow = amount(read('memory.memsw.limit_in_bytes'));
  const memoryNext = limits.memoryBytes ?? memoryNow;
  const first = limits.memoryBytes === undefined ? [] : [memoryLimit(limits.memoryBytes)];
  // A kernel that does not count swap has no sum, which is an error only where one is asked for.
  if (limits.swapBytes === undefined && (sumNow === 'max' || first.length === 0)) return [...first, ...others(limits)];
  const swap = limits.swapBytes ?? (sumNow === 'max' || memoryNow === 'max' ? 'max' : sumNow - memoryNow);
  const sum = limits.swapBytes === undefined && memoryNext === 'max' ? 'max' : sumOf(memoryNext, swap);
  const raises = sum === 'max' || (sumNow !== 'max' && sum >= sumNow);
  return [...(raises ? [sumLimit(sum), ...first] : [...first, sumLimit(sum)]), ...others(limits)];
}

function memoryLimit(bytes: number | 'max'): Setting {
  return { file: 'memory.limit_in_bytes', value: written(bytes) };
}

function sumLimit(bytes: number | 'max'): Setting {
  return { file: 'memory.memsw.limit_in_bytes', value: written(bytes), absent: noSwap };
}

function sumOf(memoryBytes: number | 'max', swapBytes: number | 'max'): number | 'max' {
  if (swapBytes === 'max') return 'max';
  if (memoryBytes === 'max')
    throw noSuchLimit('swapBytes', 1, 'it counts memory and swap together, so swap is limited only beside memory: give memoryBytes, too');
  return memoryBytes + swapBytes;
}

function others(limits: Limits): Setting[] {
  const { memoryReservationBytes, memorySwappiness, memoryOomKill, kernelMemoryBytes, kernelTcpMemoryBytes } = limits;
  for (const name of ['memoryHighBytes', 'memoryLowBytes', 'memoryMinBytes'] as const)
    if (limits[name] !== undefined) throw noSuchLimit(name, 1, 'what comes near to it is memoryReservationBytes');
  if (limits.memoryOomGroup) throw noSuchLimit('memoryOomGroup', 1, 'the kernel kills one process at a time: watch for that, and kill the group');
  checkHolds(limits);
  if (kernelMemoryBytes !== undefined && kernelMemoryBytes !== 'max')
    throw noSuchLimit(
      'kernelMemoryBytes',
      1,
      'no kernel since 5.16 limits it, and newer ones take a value without effect: memory of the kernel is part of memoryBytes',
    );
  const settings: Setting[] = [];
  if (memoryReservationBytes !== undefined) settings.push({ file: 'memory.soft_limit_in_bytes', value: written(memoryReservationBytes), absent: deprecated });
  if (memorySwappiness !== undefined)
    settings.push({ file: 'memory.swappiness', value: String(memorySwappiness), hints: { EINVAL: 'kernels before 6.0 may take 100 at most' } });
  if (memoryOomKill !== undefined) settings.push({ file: 'memory.oom_control', value: memoryOomKill ? '0' : '1', absent: deprecated });
  if (kernelTcpMemoryBytes !== undefined) settings.push({ file: 'memory.kmem.tcp.limit_in_bytes', value: written(kernelTcpMemoryBytes), absent: deprecated });
  return settings;
}

function checkHolds({ memoryUseHierarchy }: Limits): void {
  if (memoryUseHierarchy === false)
    throw new CgroupError('no-such-limit', 'memoryUseHierarchy cannot be false: since kernel 5.11 the groups below always count');
}

function written(bytes: number | 'max'): string {
  return bytes === 'max' ? '-1' : String(bytes);
}

/** No limit reads as the most pages that the kernel can count. */
function amount(text: string | undefined): number | 'max' {
  const bytes = Number(text ?? Infinity);
  return bytes > Number.MAX_SAFE_INTEGER ? 'max' : bytes;
}
