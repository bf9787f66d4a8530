import type { LinuxRdma } from '@ctr/cgroups';

import { object, uint32, type Schema } from '../schema/schema.js';

export const rdma: Schema<LinuxRdma> = object<LinuxRdma>({ hcaHandles: uint32(), hcaObjects: uint32() }, (value, report) => {
  if (value.hcaHandles === undefined && value.hcaObjects === undefined) report.error('', value, 'hcaHandles or hcaObjects');
});
