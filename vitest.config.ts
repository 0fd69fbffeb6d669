/** vitest.config: tests run against the built package, in processes of their own, two at a time. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // Simulations are made of young objects: a fifth less CPU for the longest of them.
    execArgv: ['--max-semi-space-size=64'],
    setupFiles: ['test/support/watchdog.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
