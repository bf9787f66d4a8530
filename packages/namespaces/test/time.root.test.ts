import { readFileSync } from 'node:fs';

import { continueInChild, launch } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { create, timeOffsets } from '@ctr/namespaces';

import { launched, rejection, script } from '../../../test/support/launched.js';

const DAYS = 1000 * 86_400;

describe('timeOffsets', () => {
  it('set the clocks of the next process', async () => {
    const plan = [
      ...create('time'),
      ...timeOffsets({ boottime: { seconds: DAYS }, monotonic: { seconds: 3, nanoseconds: 4 } }),
      ...continueInChild({ memory: 'copied' }),
    ];
    const { output } = await launched([...plan, ...script('/bin/busybox cat /proc/uptime /proc/self/timens_offsets')]);
    const [uptime = '', ...offsets] = output.split('\n');
    const host = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
    const ahead = Number(uptime.split(' ')[0]) - host - DAYS;
    expect(Math.abs(ahead)).toBeLessThan(60);
    expect(offsets.map((line) => line.split(/ +/))).toEqual([
      ['monotonic', '3', '4'],
      ['boottime', String(DAYS), '0'],
    ]);
  });

  it('are refused once a process is in the namespace, and for a clock before the start of the machine', async () => {
    const late = [...create('time'), ...continueInChild({ memory: 'copied' }), ...timeOffsets({ boottime: { seconds: 1 } })];
    expect((await rejection(launch(late))).message).toMatch(/= EACCES .*\nhint: a process is in the time namespace already/);
    const negative = [...create('time'), ...timeOffsets({ boottime: { seconds: -1e9 } })];
    expect((await rejection(launch(negative))).message).toMatch(/= ERANGE .*\nhint: a clock cannot be set to before the start of the machine/);
  });
});
