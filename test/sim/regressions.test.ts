/** regressions: scenarios that the simulation once failed on, as it has printed them when they were shrunk. */
import { expect, it } from 'vitest';
import { failureOf } from '../layers/simulation.js';
import type { Scenario } from '../support/scenario.js';

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'seed 16778449: answers that are on their way when a cut fails are for records that it may have cut off': {
    ...{
      seed: 16778449,
      options: {},
      failedSync: 'revert',
      tearsToZeros: false,
      tearsToGarbage: false,
      tearsPages: false,
      firstLsn: 1,
      firstSegment: 1,
      ringCount: 0,
    },
    actions: [
      { do: 'append', producer: 0, bytes: [5, 600, 600], os: true },
      ...[1, 4, 1, 2].map((count) => ({ do: 'finish', count, seed: 0 }) as const),
      { do: 'append', producer: 0, bytes: [30], os: true },
      { do: 'publish', producer: 0 },
      { do: 'finish', count: 1, seed: 0 },
      { do: 'append', producer: 2, bytes: [5, 5, 5] },
      { do: 'finish', count: 4, seed: 0 },
      { do: 'append', producer: 2, bytes: [5], ahead: 1 },
      { do: 'finish', count: 10, seed: 0 },
      { do: 'step' },
      { do: 'cut', back: 5 },
      { do: 'finish', count: 1, seed: 0 },
      { do: 'step' },
      ...[4, 10, 4, 10, 4, 1, 1].map((count) => ({ do: 'finish', count, seed: 0 }) as const),
      { do: 'fault', nth: 3, code: 'ENOSPC', mode: 'short0' },
      ...[1, 2, 1].map((count) => ({ do: 'finish', count, seed: 0 }) as const),
    ],
  },
};

it.each(Object.entries(SCENARIOS))('%s', async (_, scenario) => {
  expect(await failureOf(scenario)).toBeUndefined();
});
