import { Memory, prctlOptions, signals, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { becomeUser, parentDeathSignal } from '@ctr/security';

import { exitCode } from './launched.js';

/** Ends with the number of the signal. */
function get(): Step[] {
  const signal = new Memory(8, 'signal');
  return [
    { call: 'prctl', args: [prctlOptions.PR_GET_PDEATHSIG, signal, 0, 0, 0], purpose: 'which signal?' },
    { call: 'exit_group', args: [signal.i32()], purpose: 'tell' },
  ];
}

describe('parentDeathSignal', () => {
  it('is set, and unset', async () => {
    expect(await exitCode([...parentDeathSignal('SIGTERM'), ...get()])).toBe(signals.SIGTERM);
    expect(await exitCode([...parentDeathSignal('SIGTERM'), ...parentDeathSignal('none'), ...get()])).toBe(0);
  });

  it('is forgotten at a change of user', async () => {
    expect(await exitCode([...parentDeathSignal('SIGTERM'), ...becomeUser({ uid: 1000, gid: 1000 }), ...get()])).toBe(0);
  });
});
