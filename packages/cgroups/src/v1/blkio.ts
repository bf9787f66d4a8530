import { bfqWeight, noBfq, noDisk } from '../block-io.js';
import { deviceNumbers } from '../check-limits.js';
import type { IoDevice, Limits } from '../limits.js';
import type { Setting } from '../setting.js';

const noLeaf = 'ioLeafWeight was a weight of the CFQ scheduler, which no kernel since 5.0 has: leave it out';

const throttles = [
  ['readBytesPerSecond', 'blkio.throttle.read_bps_device'],
  ['writeBytesPerSecond', 'blkio.throttle.write_bps_device'],
  ['readOperationsPerSecond', 'blkio.throttle.read_iops_device'],
  ['writeOperationsPerSecond', 'blkio.throttle.write_iops_device'],
] as const satisfies readonly (readonly [keyof IoDevice, string])[];

/** `blkio.*`. @see Documentation/admin-guide/cgroup-v1/blkio-controller.rst of the kernel */
export function blkio({ ioWeight, blkioWeight, ioLeafWeight, ioDevices = [] }: Limits): Setting[] {
  const settings: Setting[] = [];
  const weight = bfqWeight(ioWeight, blkioWeight);
  if (weight !== undefined) settings.push({ file: 'blkio.bfq.weight', value: String(weight), absent: noBfq });
  if (ioLeafWeight !== undefined) settings.push({ file: 'blkio.leaf_weight', value: String(ioLeafWeight), absent: noLeaf });
  for (const device of ioDevices) settings.push(...deviceSettings(device));
  return settings;
}

function deviceSettings(device: IoDevice): Setting[] {
  const settings: Setting[] = [];
  const disk = deviceNumbers(device.device);
  const weight = bfqWeight(device.weight, device.blkioWeight);
  if (weight !== undefined) settings.push({ file: 'blkio.bfq.weight_device', value: `${disk} ${weight}`, absent: noBfq, hints: noDisk });
  if (device.leafWeight !== undefined) settings.push({ file: 'blkio.leaf_weight_device', value: `${disk} ${device.leafWeight}`, absent: noLeaf });
  for (const [name, file] of throttles) {
    const limit = device[name];
    if (limit !== undefined) settings.push({ file, value: `${disk} ${limit === 'max' ? 0 : limit}`, hints: noDisk });
  }
  return settings;
}
