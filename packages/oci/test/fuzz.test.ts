// Configs with something changed in them, at random but always the same: each is read, or refused in words of ctr's own, and soon.
// CTR_FUZZ_CONFIGS says how many there are.
import { expect, it } from 'vitest';

import { ConfigError, JsonError, parseConfig, parseJson, validate, type JsonValue } from '@ctr/oci';

import { corpus } from './corpus.js';
import { places, replaced, valueAt, type Key } from './values.js';

const COUNT = Number(process.env['CTR_FUZZ_CONFIGS'] ?? 1500);
/** Long for a config, even where others work on the machine. */
const SLOWEST_MS = 5000;

/** mulberry32: numbers from 0 to below 1, the same for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const strange: readonly JsonValue[] = (
  [
    [null, true, false, 0, -1, 1.5, 1e308, 4294967295, 4294967296, 2 ** 53, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, -(2n ** 63n) - 1n],
    ['', '/', '..', '../..', 'a/b', '\0', '\n', '\u{202e}', '😀', 'x'.repeat(5000), '/proc/self/fd/3', '/proc/1/ns/net', '0-3,7', '9-1', '%d', '__proto__'],
    ['CAP_SYS_ADMIN', 'RLIMIT_NOFILE', 'SCMP_ACT_NOTIFY', 'idmap', 'rbind', 'user', 'time', 'mount', 'SCHED_DEADLINE', 'MPOL_BIND', '-1', 'max'],
    [[], {}, [null], [[]], [{}], { '': '' }, { path: '/' }, { type: 'user' }, { limit: -1 }, { destination: '/', type: 'proc' }],
  ] as JsonValue[][]
).flat();

function mutated(seed: JsonValue, next: () => number): string {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T;
  let value = seed;
  for (let rounds = 1 + Math.floor(next() * 4); rounds > 0; rounds--) {
    const all = places(value);
    const place = pick(all);
    const there = valueAt(value, place);
    const kind = next();
    if (kind < 0.5) value = replaced(value, place, pick(strange));
    else if (kind < 0.65) value = replaced(value, place, valueAt(value, pick(all)));
    else if (Array.isArray(there)) value = replaced(value, place, kind < 0.8 ? [...there, ...there] : there.slice(1));
    else if (typeof there === 'object' && there !== null) value = replaced(value, place, changedKeys(there as Record<Key, JsonValue>, pick, kind < 0.8, next));
    else if (typeof there === 'string') value = replaced(value, place, kind < 0.8 ? there + there : there.slice(0, Math.floor(next() * there.length)));
    else value = replaced(value, place, pick(strange));
  }
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `\u{1}${part}` : part)).replaceAll(/"\\u0001(-?[0-9]+)"/g, '$1');
}

function changedKeys(object: Record<Key, JsonValue>, pick: <T>(from: readonly T[]) => T, more: boolean, next: () => number): JsonValue {
  const entries = Object.entries(object);
  if (more) entries.push([pick(['__proto__', 'constructor', 'toString', 'type', 'path', 'Path', '', 'a.b', 'x'.repeat(100)]), pick(strange)]);
  else entries.splice(Math.floor(next() * entries.length), 1);
  return Object.assign(Object.create(null) as object, Object.fromEntries(entries)) as JsonValue;
}

/** Some bytes of a text changed, left out or doubled. */
function spoilt(text: string, next: () => number): Buffer {
  const bytes = Buffer.from(text);
  const at = Math.floor(next() * bytes.length);
  const length = 1 + Math.floor(next() * 20);
  const kind = next();
  if (kind < 0.4) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
  if (kind < 0.6) return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
  bytes[at] = Math.floor(next() * 256);
  return bytes;
}

it(`${COUNT} changed configs are read, or refused in words of ctr's own, and soon`, { timeout: 3_600_000 }, () => {
  const seeds = corpus.map(([, bytes]) => parseJson(bytes));
  const outcomes = { read: 0, 'no config': 0, 'no JSON': 0 };
  let slowest = 0;
  for (let seed = 0; seed < COUNT; seed++) {
    const next = random(seed);
    const text = mutated(seeds[seed % seeds.length] as JsonValue, next);
    const given = next() < 0.2 ? spoilt(text, next) : text;
    const begin = performance.now();
    try {
      const config = parseConfig(given);
      outcomes.read++;
      // What is read is a config itself, of which nothing has to be left out.
      const again = validate(config).filter(
        ({ severity, allowed }) => severity === 'error' || allowed.startsWith('there is no such field') || allowed.startsWith('taken as if'),
      );
      expect(again, `seed ${seed}`).toEqual([]);
    } catch (error) {
      if (error instanceof JsonError) outcomes['no JSON']++;
      else if (error instanceof ConfigError) outcomes['no config']++;
      else throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
      expect(error.message, `seed ${seed}`).not.toMatch(/undefined|\[object|NaN|(?!\n)\p{Cc}/u);
    }
    slowest = Math.max(slowest, performance.now() - begin);
  }
  expect(slowest).toBeLessThan(SLOWEST_MS);
  if (COUNT >= 1000) for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(COUNT / 50);
});
