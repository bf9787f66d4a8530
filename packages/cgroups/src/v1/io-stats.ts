import { number, type Source } from '../counter.js';
import type { IoStatistics } from '../statistics.js';

/**
 * `blkio.throttle.io_service_bytes` and `io_serviced`, which count whatever the scheduler of the device is, here with the groups below.
 *
 * @see Documentation/admin-guide/cgroup-v1/blkio-controller.rst of the kernel
 */
export function ioStatistics({ read, files }: Source): IoStatistics[] {
  const recursive = files.includes('blkio.throttle.io_service_bytes_recursive') ? '_recursive' : '';
  const bytes = countsOf(read(`blkio.throttle.io_service_bytes${recursive}`));
  const operations = countsOf(read(`blkio.throttle.io_serviced${recursive}`));
  return [...new Set([...bytes.keys(), ...operations.keys()])].map((device) => ({
    device,
    readBytes: bytes.get(device)?.get('Read'),
    writeBytes: bytes.get(device)?.get('Write'),
    discardBytes: bytes.get(device)?.get('Discard'),
    readOperations: operations.get(device)?.get('Read'),
    writeOperations: operations.get(device)?.get('Write'),
    discardOperations: operations.get(device)?.get('Discard'),
  }));
}

/**
 * 8:0 Read 4096
 * Total 4096
 * (1) the device, (2) what was done, (3) how much; and the sum of all.
 */
function countsOf(text: string | undefined): Map<string, Map<string, number>> {
  const devices = new Map<string, Map<string, number>>();
  for (const line of text?.split('\n') ?? []) {
    const [device = '', what = '', count] = line.split(' ');
    const value = number(count);
    if (!/^\d+:\d+$/.test(device) || value === undefined) continue;
    const counts = devices.get(device) ?? new Map<string, number>();
    counts.set(what, value);
    devices.set(device, counts);
  }
  return devices;
}
