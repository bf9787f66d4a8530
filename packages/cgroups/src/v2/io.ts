import { bfqWeight, ioWeightOf, noDisk } from '../block-io.js';
import { deviceNumbers } from '../check-limits.js';
import type { IoDevice, Limits } from '../limits.js';
import { noSuchLimit } from '../no-such-limit.js';
import type { Setting } from '../setting.js';

const noWeight = 'this kernel has neither the BFQ scheduler in it (modprobe bfq) nor CONFIG_BLK_CGROUP_IOCOST, which are what weighs groups against each other';

const throttles = [
  ['readBytesPerSecond', 'rbps'],
  ['writeBytesPerSecond', 'wbps'],
  ['readOperationsPerSecond', 'riops'],
  ['writeOperationsPerSecond', 'wiops'],
] as const satisfies readonly (readonly [keyof IoDevice, string])[];

/** `io.max`, `io.weight` and `io.bfq.weight`. @see Documentation/admin-guide/cgroup-v2.rst of the kernel, IO Interface Files */
export function io({ ioWeight, blkioWeight, ioLeafWeight, ioDevices = [] }: Limits): Setting[] {
  if (ioLeafWeight !== undefined) throw noLeaf();
  return [...weight('', ioWeight, blkioWeight), ...ioDevices.flatMap(deviceSettings)];
}

function deviceSettings(device: IoDevice): Setting[] {
  if (device.leafWeight !== undefined) throw noLeaf();
  const disk = deviceNumbers(device.device);
  const limits = throttles.flatMap(([name, key]) => (device[name] === undefined ? [] : [`${key}=${device[name]}`]));
  return [
    ...weight(`${disk} `, device.weight, device.blkioWeight),
    ...(limits.length > 0 ? [{ file: 'io.max', value: `${disk} ${limits.join(' ')}`, hints: noDisk }] : []),
  ];
}

/** Which of the two the kernel heeds depends on the scheduler of a disk, so both get the weight. */
function weight(of: string, ioWeight: number | undefined, blkioWeight: number | undefined): Setting[] {
  const [forBfq, forCost] = [bfqWeight(ioWeight, blkioWeight), ioWeightOf(ioWeight, blkioWeight)];
  if (forBfq === undefined || forCost === undefined) return [];
  const twin = { file: 'io.weight', value: `${of}${forCost}` };
  return [{ file: 'io.bfq.weight', value: `${of}${forBfq}`, twin, absent: noWeight, hints: noDisk }];
}

function noLeaf(): Error {
  return noSuchLimit('ioLeafWeight', 2, 'it was a weight of the CFQ scheduler, which no kernel since 5.0 has');
}
