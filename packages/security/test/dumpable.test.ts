import { explain } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { dumpable } from '@ctr/security';

it('dumpable is one call', () => {
  expect(explain([...dumpable(false), ...dumpable(true)])).toMatchInlineSnapshot(`
    "1  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # nobody looks into it but root
    2  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # its user may look into it"
  `);
});
