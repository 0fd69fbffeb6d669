/** stress.test: a share of the layer, and that it tells one wrong LSN and memory that grows. */
import { afterEach, expect, it } from 'vitest';
import { testSeed } from '../support/prng.js';
import { runStress } from './stress.js';

const task = { part: 0, parts: 1, share: 0.005, seed: testSeed(1), progress: () => {} };
const crowd = 0.125;

afterEach(() => {
  process.env.RINGWAL_TEST_PLANT = '';
});

// Classes 32, 38, 42, 47.
it('on a slow disk each record of 11 producers is told, read and read again under its own LSN', async () => {
  const figures = await runStress(task, { crowd });
  expect(figures['records of 11 producers']).toBeGreaterThanOrEqual(0.005 * 2_004_000 + crowd * 100_000);
  expect(figures['records read again at random']).toBeGreaterThan(0);
}, 90_000);

it('one completion that tells a wrong LSN is caught', async () => {
  process.env.RINGWAL_TEST_PLANT = 'lsn';
  await expect(runStress(task, { crowd })).rejects.toThrow(/was told/);
}, 90_000);

it('memory above the ceiling is caught', async () => {
  await expect(runStress(task, { crowd, ceilingMb: 1 })).rejects.toThrow(/MB of memory came into use/);
}, 90_000);
