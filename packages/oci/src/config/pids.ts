import type { LinuxPids } from '@ctr/cgroups';

import { INT64, object, wide, type Schema } from '../schema/schema.js';

export const pids: Schema<LinuxPids> = object<LinuxPids>({ limit: wide(-1n, INT64.most) });
