import { explain } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { newSessionKeyring } from '@ctr/security';

it('newSessionKeyring is one call, of a keyring without a name', () => {
  expect(explain(newSessionKeyring())).toMatchInlineSnapshot(
    `"1  keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) (ENOSYS, EPERM is fine)  # a session keyring of its own"`,
  );
});
