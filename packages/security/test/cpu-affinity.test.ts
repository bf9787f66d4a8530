import { explain, Memory } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { cpuAffinity } from '@ctr/security';

describe('cpuAffinity', () => {
  it('is a mask of whole words', () => {
    expect(explain([...cpuAffinity([0, 3]), ...cpuAffinity([64])])).toMatchInlineSnapshot(`
      "1  sched_setaffinity(0, 8, "\\t\\0\\0\\0\\0\\0\\0\\0")  # run on the processors 0, 3
      2  sched_setaffinity(0, 16, "\\0\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0")  # run on processor 64"
    `);
    const [step] = cpuAffinity([63, 64, 8191]);
    const mask = step?.args[2];
    expect(mask instanceof Memory && mask.byteLength).toBe(1024);
    expect(mask instanceof Memory && [...(mask.initial ?? [])].flatMap((byte, i) => (byte === 0 ? [] : [[i, byte]]))).toEqual([
      [7, 128],
      [8, 1],
      [1023, 128],
    ]);
  });

  it('refuses what is no processor, and none at all', () => {
    for (const cpu of [-1, 8192, 1.5]) expect(() => cpuAffinity([0, cpu])).toThrow('it has to be an integer from 0 to 8191');
    expect(() => cpuAffinity([])).toThrow(TypeError);
  });
});
