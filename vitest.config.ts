import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['server/**/*.test.ts', 'bench/**/*.test.ts', 'scripts/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'server/test/real/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
