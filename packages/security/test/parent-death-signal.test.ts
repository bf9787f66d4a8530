import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { parentDeathSignal } from '@ctr/security';

describe('parentDeathSignal', () => {
  it('is one call', () => {
    expect(explain([...parentDeathSignal('SIGTERM'), ...parentDeathSignal('none')])).toMatchInlineSnapshot(`
      "1  prctl(PR_SET_PDEATHSIG, 15, 0, 0, 0)  # SIGTERM at the end of the parent
      2  prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0)  # the end of the parent is no signal"
    `);
  });

  it('is a signal', () => {
    expect(() => parentDeathSignal('SIGTREM' as 'SIGTERM')).toThrow(new RangeError('there is no signal: "SIGTREM": did you mean SIGTERM?'));
  });
});
