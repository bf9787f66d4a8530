import { expect, it } from 'vitest';

import { decode } from '../src/checks/capabilities.js';

it.each([
  [0n, []],
  [1n, ['CHOWN']],
  [1n << 21n, ['SYS_ADMIN']],
  [(1n << 40n) | (1n << 12n), ['NET_ADMIN', 'CHECKPOINT_RESTORE']],
])('%s', (mask, names) => {
  expect(decode(mask)).toEqual(names);
});
