import { object, uint32, type Schema } from '../schema/schema.js';

/** Limits of an RDMA device. One of them has to be there. */
export interface LinuxRdma {
  readonly hcaHandles?: number;
  readonly hcaObjects?: number;
}

export const rdma: Schema<LinuxRdma> = object<LinuxRdma>({ hcaHandles: uint32(), hcaObjects: uint32() }, (value, report) => {
  if (value.hcaHandles === undefined && value.hcaObjects === undefined) report.error('', value, 'hcaHandles or hcaObjects');
});
