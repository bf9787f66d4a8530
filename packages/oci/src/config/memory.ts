import type { LinuxMemory } from '@ctr/cgroups';

import { boolean, deprecated, INT64, object, UINT64_MAX, wide, type Schema } from '../schema/schema.js';

const bytes = wide(-1n, INT64.most);

export const memory: Schema<LinuxMemory> = object<LinuxMemory>(
  {
    limit: bytes,
    reservation: bytes,
    swap: bytes,
    kernel: deprecated('kernels since 5.4 do not have it', bytes),
    kernelTCP: bytes,
    swappiness: wide(0n, UINT64_MAX),
    disableOOMKiller: boolean(),
    useHierarchy: boolean(),
    checkBeforeUpdate: { ...boolean(), since: '1.1' },
  },
  ({ limit = 0, reservation = 0, swap = 0, swappiness = 0 }, report) => {
    if (swappiness > 100 && BigInt(swappiness) !== UINT64_MAX) report.error('swappiness', swappiness, 'an integer from 0 to 100');
    if (swap > 0 && limit > swap) report.error('swap', swap, `at least the limit of memory, ${limit}: it is of memory and swap together`);
    if (swap > 0 && limit === 0) report.warning('swap', swap, 'of memory and swap together: it takes a limit of memory, too');
    if (limit > 0 && reservation > limit) report.warning('reservation', reservation, `at most the limit, ${limit}: more has no effect`);
  },
);
