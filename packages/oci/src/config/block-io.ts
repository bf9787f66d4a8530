import type { LinuxBlockIO, LinuxThrottleDevice, LinuxWeightDevice } from '@ctr/cgroups';

import { integer, list, object, required, uint32, uint64, type Schema } from '../schema/schema.js';

/** block/bfq-iosched.h: BFQ_MAX_WEIGHT */
const weight = integer(0, 1000);
const device = { major: required(uint32()), minor: required(uint32()) };
const rates = list(object<LinuxThrottleDevice>({ ...device, rate: required(uint64()) }));

export const blockIo: Schema<LinuxBlockIO> = object<LinuxBlockIO>({
  weight,
  leafWeight: weight,
  weightDevice: list(
    object<LinuxWeightDevice>({ ...device, weight, leafWeight: weight }, (value, report) => {
      if (value.weight === undefined && value.leafWeight === undefined) report.error('weight', undefined, 'a weight or a leafWeight');
    }),
  ),
  throttleReadBpsDevice: rates,
  throttleWriteBpsDevice: rates,
  throttleReadIOPSDevice: rates,
  throttleWriteIOPSDevice: rates,
});
