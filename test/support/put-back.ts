/** put-back: what a test has replaced is as it was before the next one, of whichever file: they share a process. */
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, vi } from 'vitest';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  syncBuiltinESMExports();
});
