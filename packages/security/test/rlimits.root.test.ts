import { launch } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { capabilitySets, rlimits, type Rlimit, type RlimitValue } from '@ctr/security';

import { launched, rejection, script } from './launched.js';

/** The soft and the hard limit of the size of core dumps that a program has, when these have been set one after the other. */
async function limitsAfter(...limits: readonly (RlimitValue | Rlimit)[]): Promise<string> {
  const { output } = await launched([...limits.flatMap((core) => rlimits({ core })), ...script('grep "^Max core file size" /proc/self/limits')]);
  return output
    .replaceAll(/Max core file size|bytes/g, '')
    .trim()
    .replaceAll(/ +/g, ' ');
}

describe('rlimits', () => {
  it('hold for the program', async () => {
    const { output } = await launched([
      ...rlimits({ nofile: { soft: 10, hard: 20 }, core: 0 }),
      ...script('ulimit -Sn; ulimit -Hn; ulimit -c; exec 10>/dev/null'),
    ]);
    expect(output).toMatch(/^10\n20\n0\n.*(?:Bad file descriptor|Too many open files)/);
  });

  it.each<[string, readonly (RlimitValue | Rlimit)[], string]>([
    ['a soft limit leaves the hard one', [{ soft: 1000, hard: 2000 }, { soft: 500 }], '500 2000'],
    ['a soft limit can be raised to the hard one', [{ soft: 1000, hard: 2000 }, { soft: 2000 }], '2000 2000'],
    ['a soft limit ends at the hard one', [{ soft: 1000, hard: 2000 }, { soft: 5000 }], '2000 2000'],
    ['a soft limit leaves a hard one that is none', [{ soft: 1000, hard: 'unlimited' }, { soft: 2n ** 63n - 1n }], `${2n ** 63n - 1n} unlimited`],
    ['no soft limit is the hard one', [{ soft: 1000, hard: 2000 }, { soft: 'unlimited' }], '2000 2000'],
    ['no soft limit is none if the hard one is', [{ soft: 1000, hard: 'unlimited' }, { soft: 'unlimited' }], 'unlimited unlimited'],
    ['a soft limit may be zero', [{ soft: 1000, hard: 2000 }, { soft: 0 }], '0 2000'],
    ['a hard limit leaves the soft one below it', [{ soft: 1000, hard: 2000 }, { hard: 1500 }], '1000 1500'],
    ['a hard limit takes the soft one down', [{ soft: 1000, hard: 2000 }, { hard: 500 }], '500 500'],
    ['a hard limit takes a soft one down that is none', ['unlimited', { hard: 700 }], '700 700'],
    ['a hard limit may be zero', [{ soft: 1000, hard: 2000 }, { hard: 0 }], '0 0'],
    ['no hard limit leaves the soft one', [{ soft: 1000, hard: 'unlimited' }, { hard: 'unlimited' }], '1000 unlimited'],
  ])('%s', async (_, limits, expected) => {
    expect(await limitsAfter(...limits)).toBe(expected);
  });

  it('cannot raise a hard limit without CAP_SYS_RESOURCE', async () => {
    const lowered = [...rlimits({ nofile: 100, fsize: 100 }), ...capabilitySets({ permitted: [] })];
    const files = await rejection(launch([...lowered, ...rlimits({ nofile: 101 })]));
    expect(files.message).toMatch(
      /^prlimit64\(0, RLIMIT_NOFILE, \{rlim_cur=101, rlim_max=101\}, NULL\) = EPERM .*: limit nofile\nhint: raising the hard limit needs CAP_SYS_RESOURCE, and none/,
    );
    const size = await rejection(launch([...rlimits({ fsize: 100 }), ...capabilitySets({ permitted: [] }), ...rlimits({ fsize: { hard: 'unlimited' } })]));
    expect(size.message).toMatch(/= EPERM .*\nhint: raising the hard limit needs CAP_SYS_RESOURCE: ask/);
  });
});
