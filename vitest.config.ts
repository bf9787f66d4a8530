import { defineConfig } from 'vitest/config';

export default defineConfig({
  ssr: { resolve: { conditions: ['@ctr/source', 'module', 'node', 'development|production'] } },
  test: { projects: ['packages/*'], pool: 'forks' },
});
