import { readFileSync, statSync } from 'node:fs';

import { launch, prctlOptions, waitForHost, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { dumpable } from '@ctr/security';

import { end, exitCode, NOBODY } from './launched.js';

describe('dumpable', () => {
  it('is what the kernel says afterwards, until execve', async () => {
    const get = (): Step[] => {
      const no = end(0);
      return [{ call: 'prctl', args: [prctlOptions.PR_GET_DUMPABLE, 0, 0, 0, 0], purpose: 'is it?', jump: { when: '==', to: no } }, end(1), no];
    };
    expect(await exitCode([...dumpable(false), ...get()])).toBe(0);
    expect(await exitCode([...dumpable(false), ...dumpable(true), ...get()])).toBe(1);
  });

  it('takes the files in proc from the user', async () => {
    const owner = async (steps: readonly Step[]): Promise<number> => {
      let uid = -1;
      const look = (pid: number): void => {
        expect(readFileSync(`/proc/${pid}/status`, 'latin1')).toMatch(new RegExp(`^Uid:\t${NOBODY}\t`, 'm'));
        uid = statSync(`/proc/${pid}/environ`).uid;
      };
      const become: Step = { call: 'setresuid', args: [NOBODY, NOBODY, NOBODY], purpose: 'an ordinary user' };
      const child = await launch([become, ...dumpable(true), ...steps, ...waitForHost('look'), end(0)], { onWaiting: look });
      await child.exited;
      return uid;
    };
    expect(await owner([])).toBe(NOBODY);
    expect(await owner(dumpable(false))).toBe(0);
  });
});
