import { integer, list, object, required, uint32, uint64, type Schema } from '../schema/schema.js';

/** Limits of input and output on block devices. Of a device the last entry counts. */
export interface LinuxBlockIo {
  /** From 10 to 1000; 0 leaves what is. */
  readonly weight?: number;
  /** Beside the group's own children: of old kernels only. */
  readonly leafWeight?: number;
  readonly weightDevice?: readonly LinuxWeightDevice[];
  readonly throttleReadBpsDevice?: readonly LinuxThrottleDevice[];
  readonly throttleWriteBpsDevice?: readonly LinuxThrottleDevice[];
  readonly throttleReadIOPSDevice?: readonly LinuxThrottleDevice[];
  readonly throttleWriteIOPSDevice?: readonly LinuxThrottleDevice[];
}

/** The weight of a group on one device. */
export interface LinuxWeightDevice {
  readonly major: number;
  readonly minor: number;
  readonly weight?: number;
  readonly leafWeight?: number;
}

/** How much a group may read or write on a device in a second: bytes, or operations. */
export interface LinuxThrottleDevice {
  readonly major: number;
  readonly minor: number;
  /** 0 is no limit. */
  readonly rate: number | bigint;
}

/** block/bfq-iosched.h: BFQ_MAX_WEIGHT */
const weight = integer(0, 1000);
const device = { major: required(uint32()), minor: required(uint32()) };
const rates = list(object<LinuxThrottleDevice>({ ...device, rate: required(uint64()) }));

export const blockIo: Schema<LinuxBlockIo> = object<LinuxBlockIo>({
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
