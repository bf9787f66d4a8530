import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const isRoot = process.getuid?.() === 0;
const project = (name: string, directory: string) => ({ extends: true as const, root: join(import.meta.dirname, directory), test: { name } });

export default defineConfig({
  // The sources of the packages stand for their builds: see CONTRIBUTING.md.
  ssr: { resolve: { conditions: ['@ctr/source', 'module', 'node', 'development|production'] } },
  test: {
    projects: [
      ...readdirSync(join(import.meta.dirname, 'packages')).map((name) => project(`@ctr/${name}`, `packages/${name}`)),
      project('product-tests', 'test'),
    ],
    include: ['**/*.test.ts'],
    // What needs root is left out as a whole for an ordinary user; the reporter counts it as skipped, by name.
    exclude: ['**/node_modules/**', '**/dist/**', ...(isRoot ? [] : ['**/*.root.test.ts'])],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    passWithNoTests: true,
    reporters: ['default', './tools/reporter.mjs'],
  },
});
