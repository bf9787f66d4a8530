import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

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
