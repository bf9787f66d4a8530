import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { expect, it } from 'vitest';

import { KOFFI_VERSION, syscall } from '../src/ffi.js';

it('loads what is native of koffi, and nothing else of it', () => {
  expect(syscall(-1)).toBe(-38); // ENOSYS
  const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('koffi'));
  expect(loaded).toEqual([expect.stringMatching(/\/@koromix\/koffi-linux-(x64|arm64)\/(linux|musl)_\1\/koffi\.node$/)]);
});

it('expects the version that the package depends on', () => {
  const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { dependencies: Record<string, string> };
  expect(dependencies).toEqual({ koffi: KOFFI_VERSION });
});
