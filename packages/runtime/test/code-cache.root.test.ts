import { chownSync, lchownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';

import { CodeCache } from '../src/code-cache.js';

const NOBODY = 65_534;
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ctr-home-'));
  vi.stubEnv('HOME', home);
  vi.stubEnv('XDG_CACHE_HOME', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

it('is not written in the home of another user, as under sudo', () => {
  chownSync(home, NOBODY, NOBODY);
  new CodeCache('one').write(Buffer.from('code'));
  expect(readdirSync(home)).toEqual([]);
  mkdirSync(join(home, '.cache'));
  chownSync(join(home, '.cache'), NOBODY, NOBODY);
  new CodeCache('one').write(Buffer.from('code'));
  expect(readdirSync(join(home, '.cache'))).toEqual([]);
});

it('is not trusted if the directory or the file is another user’s', () => {
  const directory = join(home, '.cache/ctr');
  new CodeCache('one').write(Buffer.from('code'));
  const file = join(directory, readdirSync(directory)[0] ?? 'none');
  for (const path of [file, dirname(file)]) {
    expect(new CodeCache('one').read()).toBeDefined();
    chownSync(path, NOBODY, NOBODY);
    expect(new CodeCache('one').read()).toBeUndefined();
    chownSync(path, 0, 0);
  }
});

it.each([
  ['the home', ''],
  ['the directory of caches', '.cache'],
  ['the directory of the cache', '.cache/ctr'],
])('is neither read, written nor cleared by a link of another user: in the place of %s', (_, place) => {
  // A cache of root's, with code and a file that is old enough to be dropped.
  const roots = mkdtempSync(join(tmpdir(), 'ctr-home-'));
  onTestFinished(() => rmSync(roots, { recursive: true }));
  vi.stubEnv('HOME', roots);
  new CodeCache('one').write(Buffer.from('code'));
  const directory = join(roots, '.cache/ctr');
  const [name = ''] = readdirSync(directory);
  writeFileSync(join(directory, name.replace('one', 'old')), 'code', { mode: 0o600 });
  utimesSync(join(directory, name.replace('one', 'old')), 0, 0);
  const before = readdirSync(directory);

  const theirs = join(home, 'home');
  mkdirSync(dirname(join(theirs, place)), { recursive: true });
  symlinkSync(join(roots, place), join(theirs, place).replace(/\/$/, ''));
  for (const own of place === '' ? [theirs] : [theirs, join(theirs, '.cache'), join(theirs, place)]) lchownSync(own, NOBODY, NOBODY);
  chownSync(home, NOBODY, NOBODY);
  vi.stubEnv('HOME', theirs);
  // The path does lead there.
  expect(readdirSync(join(theirs, '.cache/ctr'))).toEqual(before);
  expect(new CodeCache('one').read()).toBeUndefined();
  new CodeCache('two').write(Buffer.from('code'));
  expect(readdirSync(directory)).toEqual(before);

  // By a path of root's own it is a cache.
  vi.stubEnv('HOME', roots);
  expect(new CodeCache('one').read()).toBeDefined();
  new CodeCache('two').write(Buffer.from('code'));
  expect(readdirSync(directory)).not.toEqual(before);
});
