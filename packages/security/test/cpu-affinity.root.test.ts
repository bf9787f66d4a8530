import { launch } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { cpuAffinity } from '@ctr/security';

import { rejection, statusAfter } from './launched.js';

describe('cpuAffinity', () => {
  const listOf = (status: string): string | undefined => /^Cpus_allowed_list:\t(.*)$/m.exec(status)?.[1];

  it('is where the program may run; a processor that is not there does not count', async () => {
    const allowed = Number(/^\d+/.exec(listOf(await statusAfter([])) ?? '')?.[0]);
    expect(listOf(await statusAfter(cpuAffinity([allowed])))).toBe(String(allowed));
    expect(listOf(await statusAfter(cpuAffinity([allowed, 8191])))).toBe(String(allowed));
  });

  it('says that none of them is there', async () => {
    expect((await rejection(launch(cpuAffinity([8191])))).message).toMatch(/^sched_setaffinity\(.* = EINVAL .*\nhint: none of these processors is there/);
  });
});
