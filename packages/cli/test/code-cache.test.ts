import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { CodeCache } from '@ctr/runtime/executable';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { cannotRun } from './cannot-run.js';
import { ctr } from './ctr.js';

const code = Buffer.from('what V8 has compiled');
const modeOf = (path: string): number => statSync(path).mode & 0o777;

let home: string;
/** Where it is kept, and the name there. */
let directory: string;
const files = (): string[] => readdirSync(directory);
const file = (): string => join(directory, files()[0] ?? 'none');

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ctr-home-'));
  directory = join(home, '.cache/ctr');
  vi.stubEnv('HOME', home);
  vi.stubEnv('XDG_CACHE_HOME', undefined);
  vi.stubEnv('NODE_DISABLE_COMPILE_CACHE', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

describe('CodeCache', () => {
  it('has what was kept of the same script, in directories and a file of the user’s alone', () => {
    expect(new CodeCache('one').read()).toBeUndefined();
    new CodeCache('one').write(code);
    expect(new CodeCache('one').read()).toEqual(code);
    expect(new CodeCache('two').read()).toBeUndefined();
    expect([join(home, '.cache'), directory, file()].map(modeOf)).toEqual([0o700, 0o700, 0o600]);
  });

  it('replaces what was there, and leaves nothing else', () => {
    new CodeCache('one').write(Buffer.from('older'));
    new CodeCache('one').write(code);
    expect(new CodeCache('one').read()).toEqual(code);
    expect(files()).toHaveLength(1);
  });

  it('stands in XDG_CACHE_HOME, where that is a path from the root', () => {
    vi.stubEnv('XDG_CACHE_HOME', join(home, 'caches'));
    new CodeCache('one').write(code);
    expect(readdirSync(join(home, 'caches/ctr'))).toHaveLength(1);
    vi.stubEnv('XDG_CACHE_HOME', 'relative');
    new CodeCache('one').write(code);
    expect(files()).toHaveLength(1);
  });

  it('may be reached by a link of the user’s', () => {
    mkdirSync(join(home, 'elsewhere'));
    symlinkSync('elsewhere', join(home, '.cache'));
    new CodeCache('one').write(code);
    expect(new CodeCache('one').read()).toEqual(code);
  });

  it.each([
    ['its directory', () => directory],
    ['the file', () => file()],
  ])('is not trusted if somebody else can write %s', (_, path) => {
    new CodeCache('one').write(code);
    for (const mode of [0o720, 0o702]) {
      chmodSync(path(), mode);
      expect(new CodeCache('one').read()).toBeUndefined();
    }
  });

  it('is not read by way of a link', () => {
    new CodeCache('one').write(code);
    const name = file();
    writeFileSync(join(home, 'other'), code, { mode: 0o600 });
    rmSync(name);
    symlinkSync(join(home, 'other'), name);
    expect(new CodeCache('one').read()).toBeUndefined();
  });

  it('is not written where somebody else can put files', () => {
    for (const place of ['', '.cache', '.cache/ctr']) {
      const path = join(home, place);
      mkdirSync(path, { recursive: true });
      chmodSync(path, 0o777);
      new CodeCache('one').write(code);
      expect(readdirSync(path)).toEqual([]);
      chmodSync(path, 0o700);
    }
  });

  it.each([
    ['there is no home', { HOME: undefined }],
    ['the home is no path', { HOME: '' }],
    ['the home does not exist', { HOME: '/nowhere/at/all' }],
    ['the home is no directory', { HOME: '/dev/null' }],
    ['nothing can be made there', { HOME: '/proc/self' }],
    ['it is turned off', { NODE_DISABLE_COMPILE_CACHE: '1' }],
  ])('is none if %s', (_, variables) => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    new CodeCache('one').write(code);
    expect(new CodeCache('one').read()).toBeUndefined();
    expect(readdirSync(home)).toEqual([]);
  });

  it('drops what has been there for three months', () => {
    new CodeCache('one').write(code);
    const days = (count: number): number => Date.now() / 1000 - count * 24 * 60 * 60;
    utimesSync(file(), days(89), days(89));
    new CodeCache('two').write(code);
    expect(files()).toHaveLength(2);
    utimesSync(join(directory, files().find((name) => name.startsWith('one')) ?? ''), days(91), days(91));
    new CodeCache('three').write(code);
    expect(files().filter((name) => name.startsWith('one'))).toEqual([]);
    expect(files()).toHaveLength(2);
  });
});

describe.skipIf(cannotRun)('the compiled code of ctr', () => {
  const env = (): Record<string, string> => ({ XDG_CACHE_HOME: join(home, '.cache') });
  const run = async (): Promise<void> => expect(await ctr(['run', 'echo', 'hello'], { env: env() })).toMatchObject({ code: 0, stdout: 'hello\n', stderr: '' });

  it('is kept by the first command that has run a container, and used by the next', async () => {
    await ctr(['help'], { env: env() });
    await ctr(['run', '--dry-run', 'true'], { env: env() });
    expect(readdirSync(home)).toEqual([]);
    await run();
    const { ino, size } = statSync(file());
    expect(size).toBeGreaterThan(100_000);
    await run();
    expect(statSync(file())).toMatchObject({ ino, size });
  });

  it('is made again if it is none', async () => {
    await run();
    for (const rubbish of [Buffer.alloc(0), Buffer.alloc(100_000), readFileSync(file()).subarray(0, 50_000)]) {
      writeFileSync(file(), rubbish);
      await run();
      expect(readFileSync(file()).length).toBeGreaterThan(100_000);
    }
  });
});
