import { describe, expect, it } from 'vitest';

import { parseConfig, parseJson, problemText, supportedFields, validate, type JsonValue, type Problem } from '@ctr/oci';

import { corpus, everyField } from './corpus.js';
import { kind, pathOf, places, replaced, valueAt } from './values.js';

const errorsOf = (value: unknown): Problem[] => validate(value).filter(({ severity }) => severity === 'error');

describe.each(corpus)('a config as in %s', (name, bytes) => {
  const value = parseJson(bytes);
  /** All of the one that has every field, and some of the others. */
  const step = name === 'every-field' ? 1 : Math.ceil(places(value).length / 25);
  const looked = places(value).filter((_, index) => index % step === 0);

  it('has no errors, and is read as it is', () => {
    expect(errorsOf(value).map(problemText)).toEqual([]);
    const config = parseConfig(bytes);
    // What is read is a config itself, and says the same.
    expect(errorsOf(config)).toEqual([]);
    expect(config).toEqual(value);
  });

  it('names the place where something else stands, whatever it is', () => {
    for (const place of looked) {
      const there = valueAt(value, place);
      for (const instead of [null, true, 7, -1.5, 2n ** 70n, 'x', [], {}, [null], [{}], { __proto__: null, constructor: 1 }] as JsonValue[]) {
        const problems = validate(replaced(value, place, instead));
        if (kind(instead) === kind(there)) continue;
        const path = pathOf(place);
        expect(
          problems.some((problem) => problem.path === path),
          `${path} with ${JSON.stringify(instead, (_, part: unknown) => (typeof part === 'bigint' ? `${part}` : part))} in its place: ${problems.map(problemText).join('\n')}`,
        ).toBe(true);
      }
    }
  });

  it('has no integer that is not whole, or too large', () => {
    for (const place of looked.filter((keys) => kind(valueAt(value, keys)) === 'number'))
      for (const instead of [-1.5, 1e300, 2n ** 64n, -(2n ** 64n)]) expect(errorsOf(replaced(value, place, instead))[0]?.path).toBe(pathOf(place));
  });
});

describe('the config that has every field', () => {
  it('has every field', () => {
    const value = parseJson(everyField());
    const names = places(value).map((keys) =>
      keys.reduce<string>((path, key) => {
        const isKey = /\.(annotations|sysctl|netDevices|rdma|unified)$/.test(`.${path}`);
        if (typeof key === 'number' || isKey) return `${path}[${isKey ? '*' : ''}]`;
        return path === '' ? key : `${path}.${key}`;
      }, ''),
    );
    for (const { path } of supportedFields()) expect(names).toContain(path);
  });

  it('loses no digit', () => {
    const { process, linux } = parseConfig(everyField());
    expect(process?.rlimits?.[0]).toEqual({ type: 'RLIMIT_CORE', soft: 0, hard: 18446744073709551615n });
    expect(linux?.resources?.hugepageLimits?.[0]?.limit).toBe(9223372036854771712n);
    expect(linux?.seccomp?.syscalls?.[2]?.args?.[0]?.value).toBe(18446744073709551614n);
    expect(linux?.timeOffsets?.boottime?.secs).toBe(9007199254740993n);
  });

  it('is checked in a few milliseconds, as every other', () => {
    for (const [name, bytes] of corpus) {
      const value = parseJson(bytes);
      const times = Array.from({ length: 30 }, () => {
        const begin = performance.now();
        validate(value);
        return performance.now() - begin;
      });
      expect(Math.min(...times), name).toBeLessThan(5);
    }
  });
});
