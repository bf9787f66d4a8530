import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const isRoot = process.getuid?.() === 0;
/** Tests that need control groups of one version alone, systemd, or a kernel for arm64: where these are not, `npm run test:vm` boots a machine that has them. */
const elsewhere = [
  existsSync('/sys/fs/cgroup/cgroup.controllers') ? '**/*.v1.root.test.ts' : '**/*.v2.root.test.ts',
  ...(existsSync('/run/systemd/system') ? [] : ['**/*.systemd.root.test.ts']),
  ...(process.env['CTR_ARM64'] === undefined ? ['**/*.arm64.root.test.ts'] : []),
];
/** On an emulated processor it takes a third of the time to load what nx has built. */
const isVm = process.env['CTR_VM'] !== undefined;
const project = (name: string, directory: string) => ({ extends: true as const, root: join(import.meta.dirname, directory), test: { name } });

export default defineConfig({
  // The sources of the packages stand for their builds: see CONTRIBUTING.md.
  ssr: { resolve: { conditions: [...(isVm ? [] : ['@ctr/source']), 'module', 'node', 'development|production'] } },
  test: {
    ...(isVm && { server: { deps: { external: [/\/packages\/\w+\/dist\//] } } }),
    projects: [
      ...readdirSync(join(import.meta.dirname, 'packages')).map((name) => project(`@ctr/${name}`, `packages/${name}`)),
      project('product-tests', 'test'),
    ],
    include: ['**/*.test.ts'],
    // What needs root is left out as a whole for an ordinary user; the reporter counts it as skipped, by name.
    exclude: ['**/node_modules/**', '**/dist/**', ...elsewhere, ...(isRoot ? [] : ['**/*.root.test.ts'])],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    passWithNoTests: true,
    // On a machine that others load, too; what passes only so is named at the end. By hand, a test that fails has failed.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    // What one machine of CI has transformed, the next need not: on an emulated processor it takes a third of the time.
    experimental: {
      fsModuleCache: process.env['CI'] === 'true' || process.env['CTR_VM'] !== undefined,
      fsModuleCachePath: join(import.meta.dirname, 'node_modules/.cache/vitest'),
    },
    reporters: ['default', './tools/reporter.mjs'],
  },
});
