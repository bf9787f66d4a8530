import { launch } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { becomeUser, capabilitySets, secureBits } from '@ctr/security';

import { parseStatus } from '../src/read-capabilities.js';
import { NOBODY, rejection, statusAfter } from './launched.js';

describe('secureBits', () => {
  it('make root an ordinary user for the program', async () => {
    const status = await statusAfter(secureBits(['SECBIT_NOROOT']));
    expect(status).toMatch(/^Uid:\t0\t/m);
    expect(parseStatus(status)).toMatchObject({ permitted: [], effective: [] });
    expect(parseStatus(await statusAfter(secureBits([]))).effective).not.toEqual([]);
  });

  it('cannot be taken back once they are locked', async () => {
    const error = await rejection(launch([...secureBits(['SECBIT_NOROOT', 'SECBIT_NOROOT_LOCKED']), ...secureBits([])]));
    expect(error.message).toMatch(/^prctl\(PR_SET_SECUREBITS, 0\) = EPERM .*\nhint: this needs CAP_SETPCAP, and a bit that is locked stays/);
  });

  it('forbid ambient capabilities, and the error says so', async () => {
    const chown = ['CAP_CHOWN'] as const;
    const plan = [...secureBits(['SECBIT_NO_CAP_AMBIENT_RAISE']), ...becomeUser({ uid: NOBODY, gid: NOBODY, keepCapabilities: true })];
    const error = await rejection(launch([...plan, ...capabilitySets({ permitted: chown, inheritable: chown, ambient: chown })]));
    expect(error.message).toMatch(/^prctl\(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0\) = EPERM .*\nhint: SECBIT_NO_CAP_AMBIENT_RAISE is set/);
  });
});
