import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { personality } from '@ctr/security';

describe('personality', () => {
  it('is one call', () => {
    expect(explain([...personality('LINUX'), ...personality('LINUX32')])).toMatchInlineSnapshot(`
      "1  personality(PER_LINUX)  # the execution domain LINUX
      2  personality(PER_LINUX32)  # the execution domain LINUX32"
    `);
  });

  it('is one of two', () => {
    expect(() => personality('LINUX64' as 'LINUX')).toThrow(new RangeError('there is no personality: "LINUX64": did you mean LINUX?'));
  });
});
