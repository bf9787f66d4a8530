import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { secureBits, type SecureBit } from '@ctr/security';

describe('secureBits', () => {
  it('are set in one call', () => {
    expect(explain(secureBits(['SECBIT_NOROOT', 'SECBIT_NOROOT_LOCKED', 'SECBIT_NOROOT']))).toMatchInlineSnapshot(
      `"1  prctl(PR_SET_SECUREBITS, SECBIT_NOROOT|SECBIT_NOROOT_LOCKED)  # what being root means"`,
    );
    expect(explain(secureBits([]))).toMatchInlineSnapshot(`"1  prctl(PR_SET_SECUREBITS, 0)  # what being root means"`);
  });

  it('are those of the kernel', () => {
    expect(() => secureBits(['SECBIT_NO_ROOT' as SecureBit])).toThrow(new RangeError('there is no secure bit: "SECBIT_NO_ROOT": did you mean SECBIT_NOROOT?'));
  });
});
