/** vitest.config: tests run against the built package, in two processes. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    isolate: false, // a process for each file would take a third longer
    // Simulations are made of young objects: a fifth less CPU for the longest of them.
    execArgv: ['--max-semi-space-size=64'],
    // Node loads the package, and not Vite: simulations take a quarter less.
    server: { deps: { external: [/\/dist\//] } },
    setupFiles: ['test/support/watchdog.ts', 'test/support/put-back.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
