/** put-back: what a test has replaced is as it was before the next one, of whichever file: they share a process. */
import { syncBuiltinESMExports } from 'node:module';
import { afterAll, afterEach, vi } from 'vitest';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  syncBuiltinESMExports();
});

/** By these tests tell the programs in test/fixtures what is to go wrong. */
afterAll(() => {
  for (const name of ['FAULT', 'DEATH', 'PLACE', 'PLANT']) delete process.env[`RINGWAL_TEST_${name}`];
});
