import { explain } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { noNewPrivs } from '@ctr/security';

it('no_new_privs is one call', () => {
  expect(explain(noNewPrivs())).toMatchInlineSnapshot(`"1  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # no program brings new rights with it"`);
});
