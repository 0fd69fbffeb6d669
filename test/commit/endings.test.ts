/** endings: whoever sleeps on a ring is woken at once when the log ends, by closing or by a failure. */
import { expect, it } from 'vitest';
import { createRing, PRODUCER_DOORBELL } from '../../dist/src/ring/layout.js';
import { CLOSED, POISONED } from '../../dist/src/ring/log-state.js';
import { EngineHarness } from '../support/engine-harness.js';
import { SimStorage } from '../support/sim-storage.js';

const PARKED = 1;

// The look that each producer takes once a second would find it, too: that is the net, and not the way.
it.each([
  ['closed', (log: EngineHarness) => log.close(), CLOSED],
  ['failed', (log: EngineHarness) => log.drive(log.engine.fail(new Error('simulated'))), POISONED],
] as const)('a producer that sleeps is woken when the log is %s', async (_, end, state) => {
  const log = await EngineHarness.open(new SimStorage());
  const { buffer, words } = createRing(16_384);
  log.engine.attach(buffer);
  Atomics.store(words, PRODUCER_DOORBELL, PARKED);
  await end(log);
  expect(log.state.state).toBe(state);
  expect(Atomics.load(words, PRODUCER_DOORBELL)).not.toBe(PARKED);
});
