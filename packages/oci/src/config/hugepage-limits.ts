import type { LinuxHugepageLimit } from '@ctr/cgroups';

import { list, object, required, text, uint64, type Schema } from '../schema/schema.js';

const size = 'a size of pages, such as 2MB';

export const hugepageLimits: Schema<readonly LinuxHugepageLimit[]> = list(
  object<LinuxHugepageLimit>({
    pageSize: required(text(size, (given) => (/^[1-9][0-9]{0,9}[KMG]B$/.test(given) ? undefined : size))),
    limit: required(uint64()),
  }),
  (value, report) => {
    const seen = new Set<string>();
    for (const [index, { pageSize }] of value.entries()) {
      if (seen.has(pageSize)) report.error(`[${index}].pageSize`, pageSize, 'a size that has no limit yet: each can have one');
      seen.add(pageSize);
    }
  },
);
