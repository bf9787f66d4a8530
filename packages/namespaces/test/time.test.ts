import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { timeOffsets } from '@ctr/namespaces';

describe('timeOffsets', () => {
  it('are written in one piece', () => {
    expect(explain(timeOffsets({ monotonic: { seconds: 86_400 }, boottime: { seconds: -7, nanoseconds: 5 } }))).toMatchInlineSnapshot(`
      "1  openat(AT_FDCWD, "/proc/self/timens_offsets", O_WRONLY|O_CLOEXEC) = $timens_offsets  # to set the clocks of the time namespace
      2  write($timens_offsets, "monotonic 86400 0\\nboottime -7 5\\n", 32)  # set the clocks of the time namespace
      3  close($timens_offsets)  # it is written"
    `);
  });

  it('refuse what is no offset', () => {
    expect(() => timeOffsets({})).toThrow(new TypeError('timeOffsets: no clock is named'));
    for (const seconds of [0.5, Number.NaN, 2 ** 53, '1' as never])
      expect(() => timeOffsets({ boottime: { seconds } })).toThrow(`timeOffsets: boottime: ${seconds} is not a whole number of seconds`);
    for (const nanoseconds of [-1, 1e9, 0.5]) expect(() => timeOffsets({ monotonic: { seconds: 0, nanoseconds } })).toThrow(RangeError);
    expect(() => timeOffsets({ realtime: { seconds: 1 } } as never)).toThrow('timeOffsets: there is no option "realtime"; there are monotonic, boottime');
    expect(() => timeOffsets({ boottime: { second: 1 } } as never)).toThrow('timeOffsets: boottime: there is no option "second": did you mean seconds?');
  });
});
