import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { rlimits, type Rlimits } from '@ctr/security';

describe('rlimits', () => {
  it('are one call each, where both limits are given', () => {
    expect(explain(rlimits({ core: 0, nofile: { soft: 1024, hard: 4096n }, stack: 'unlimited', cpu: { soft: 5, hard: 'unlimited' } }))).toMatchInlineSnapshot(`
      "1  prlimit64(0, RLIMIT_CORE, {rlim_cur=0, rlim_max=0}, NULL)  # limit core
      2  prlimit64(0, RLIMIT_NOFILE, {rlim_cur=1024, rlim_max=4096}, NULL)  # limit nofile
      3  prlimit64(0, RLIMIT_STACK, {rlim_cur=RLIM64_INFINITY, rlim_max=RLIM64_INFINITY}, NULL)  # limit stack
      4  prlimit64(0, RLIMIT_CPU, {rlim_cur=5, rlim_max=RLIM64_INFINITY}, NULL)  # limit cpu"
    `);
    expect(rlimits({})).toEqual([]);
  });

  it('read the other one where it is taken, if only one is given', () => {
    expect(explain(rlimits({ nofile: { soft: 1024 } }))).toMatchInlineSnapshot(`
      "1  prlimit64(0, RLIMIT_NOFILE, NULL, &nofile)  # the inherited limits of nofile
      2  add($nofile+8, 0) (any error is fine), if < 0 go to 4  # at most the hard limit
      3  add($nofile+8, 0), if < 1024 go to 5  # is the hard limit less?
      4  add(1024, 0)  # the soft limit
      5  label()  # the hard limit stays
      6  prlimit64(0, RLIMIT_NOFILE, &nofile, NULL)  # limit nofile"
    `);
    expect(explain(rlimits({ nofile: { hard: 1024 } }))).toMatchInlineSnapshot(`
      "1  prlimit64(0, RLIMIT_NOFILE, NULL, &nofile)  # the inherited limits of nofile
      2  add($nofile, 0) (any error is fine), if < 0 go to 4  # is the soft limit none?
      3  add($nofile, 0), if < 1024 go to 5  # is the soft limit less?
      4  add(1024, 0)  # the soft limit is not above it
      5  add(1024, 0)  # the hard limit
      6  prlimit64(0, RLIMIT_NOFILE, &nofile, NULL)  # limit nofile"
    `);
    expect(explain(rlimits({ core: { soft: 'unlimited' }, as: { hard: 'unlimited' } }))).toMatchInlineSnapshot(`
      "1  prlimit64(0, RLIMIT_CORE, NULL, &core)  # the inherited limits of core
      2  add($core+8, 0) (any error is fine)  # at most the hard limit
      3  prlimit64(0, RLIMIT_CORE, &core, NULL)  # limit core
      4  prlimit64(0, RLIMIT_AS, NULL, &as)  # the inherited limits of as
      5  add(18446744073709551615, 0) (any error is fine)  # the hard limit
      6  prlimit64(0, RLIMIT_AS, &as, NULL)  # limit as"
    `);
  });

  it('know every resource of the kernel', () => {
    const names = [
      'as',
      'core',
      'cpu',
      'data',
      'fsize',
      'locks',
      'memlock',
      'msgqueue',
      'nice',
      'nofile',
      'nproc',
      'rss',
      'rtprio',
      'rttime',
      'sigpending',
      'stack',
    ];
    const plan = rlimits(Object.fromEntries(names.map((name) => [name, 1])));
    expect(plan.map(({ args }) => args[1]).toSorted((a, b) => Number(a) - Number(b))).toEqual(names.map((_, i) => i));
    for (const [i, line] of explain(plan).split('\n').entries()) expect(line).toContain(`(0, RLIMIT_${names[i]?.toUpperCase()}, `);
  });

  it('refuse what is no resource, and what is no limit', () => {
    expect(() => rlimits({ nofiles: 1 } as Rlimits)).toThrow(new TypeError('rlimits: there is no option "nofiles": did you mean nofile?'));
    expect(() => rlimits({ core: { sfot: 1 } } as unknown as Rlimits)).toThrow('did you mean soft?');
    expect(() => rlimits({ core: {} })).toThrow(new TypeError('rlimits: core: neither soft nor hard is given'));
    expect(() => rlimits({ core: { soft: Object.create(null) as number } })).toThrow(/^rlimits: core: soft: a value of type object is not a limit: /);
    for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -1n, 2n ** 63n, 'infinity', '1'])
      expect(() => rlimits({ core: value as number })).toThrow(
        /^rlimits: core: soft: .* is not a limit: it has to be an integer from 0 to 9223372036854775807, or 'unlimited'$/,
      );
    expect(() => rlimits({ core: { soft: 1, hard: -1 } })).toThrow('rlimits: core: hard: -1 is not a limit');
  });

  it('refuse a soft limit above the hard one', () => {
    expect(() => rlimits({ nofile: { soft: 2, hard: 1 } })).toThrow(new RangeError('rlimits: nofile: the soft limit 2 is above the hard one, 1'));
    expect(() => rlimits({ nofile: { soft: 'unlimited', hard: 1 } })).toThrow('the soft limit unlimited is above the hard one, 1');
    expect(() => rlimits({ nofile: { soft: 1, hard: 1 } })).not.toThrow();
    expect(explain(rlimits({ core: 2n ** 64n - 1n }))).toBe(explain(rlimits({ core: 'unlimited' })));
  });
});
