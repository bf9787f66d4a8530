import { statSync } from 'node:fs';

import { checkLimits, type IoDevice, type Limits } from '@ctr/cgroups';
import { nodePath } from '@ctr/syscall';

import type { Settings } from './settings.js';
import { UsageError } from './usage-error.js';

/** The options that the limits are given by. */
const optionOf: Readonly<Partial<Record<keyof Limits, string>>> = {
  pids: '--pids-limit',
  memoryBytes: '--memory',
  swapBytes: '--memory-swap',
  memoryReservationBytes: '--memory-reservation',
  memorySwappiness: '--memory-swappiness',
  memoryOomKill: '--oom-kill-disable',
  cpuCores: '--cpus',
  cpuShares: '--cpu-shares',
  cpuPeriodMicroseconds: '--cpu-period',
  cpuQuotaMicroseconds: '--cpu-quota',
  cpus: '--cpuset-cpus',
  memoryNodes: '--cpuset-mems',
  blkioWeight: '--blkio-weight',
  unified: '--cgroup-conf',
};

/** The limits that the settings come to. Throws a {@link UsageError} for what the kernel would not take. */
export function limitsOf(settings: Settings): Limits {
  const swapBytes = swapOf(settings);
  const limits: Limits = { ...settings.limits, ...(swapBytes !== undefined && { swapBytes }) };
  for (const name of Object.keys(limits) as (keyof Limits)[]) {
    const option = optionOf[name] ?? name;
    check({ [name]: limits[name] }, (message) => new UsageError(option, undefined, message));
  }
  const ioDevices = disksOf(settings);
  const all = { ...limits, ...(ioDevices.length > 0 && { ioDevices }) };
  check(all, (message) => {
    const text = message.replaceAll(/\b[a-z]+[A-Z][A-Za-z]+\b/g, (word) => optionOf[word as keyof Limits] ?? word);
    return new UsageError(/--[a-z-]+/.exec(text)?.[0] ?? 'limits', undefined, text);
  });
  return all;
}

/** Swap alone, from memory and swap together. */
function swapOf({ memorySwapBytes, limits: { memoryBytes } }: Settings): number | 'max' | undefined {
  if (memorySwapBytes === undefined || memorySwapBytes === 'max') return memorySwapBytes;
  if (typeof memoryBytes !== 'number') throw new UsageError('--memory-swap', undefined, 'it is memory and swap together, so it takes --memory beside it');
  if (memorySwapBytes < memoryBytes)
    throw new UsageError('--memory-swap', undefined, `it is memory and swap together: ${memorySwapBytes} bytes are less than the ${memoryBytes} of --memory`);
  return memorySwapBytes - memoryBytes;
}

function disksOf({ diskLimits }: Settings): IoDevice[] {
  const disks = new Map<string, IoDevice>();
  for (const { option, device, limit, value } of diskLimits) {
    const numbers = numbersOf(option, device);
    check({ ioDevices: [{ device: numbers, [limit]: value }] }, (message) => new UsageError(option, undefined, message));
    disks.set(numbers, { ...disks.get(numbers), device: numbers, [limit]: value });
  }
  return [...disks.values()];
}

/** `8:0` of a disk, as stat(2) gives its number: linux/kdev_t.h, new_encode_dev(). */
function numbersOf(option: string, path: string): string {
  const stat = path.includes('\0') ? undefined : statSync(nodePath(path), { throwIfNoEntry: false });
  if (!stat?.isBlockDevice()) throw new UsageError(option, path, `${stat ? 'this is not a disk' : 'there is no such device'}: lsblk lists those there are`);
  return `${(stat.rdev >>> 8) & 0xfff}:${(stat.rdev & 0xff) | ((stat.rdev >>> 12) & 0xfff00)}`;
}

/** Takes the message of what knows better than the parser. */
function check(limits: Limits, refuse: (message: string) => UsageError): void {
  try {
    checkLimits(limits);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    throw refuse(error.message);
  }
}
