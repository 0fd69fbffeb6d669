/** endings: what is left when the log comes to rest: sleepers are woken at once, and what was only written is proven. */
import { expect, it } from 'vitest';
import { createRing, PRODUCER_DOORBELL, UNSYNCED } from '../../dist/src/ring/layout.js';
import { CLOSED, POISONED } from '../../dist/src/ring/log-state.js';
import { EngineHarness, payloadOf, recoverAll } from '../support/engine-harness.js';
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

it.each([
  'mark',
  'rotate',
  'close',
] as const)('a segment begun by a group that waits for no sync is whole behind %s', async (way) => {
  const storage = new SimStorage();
  const log = await EngineHarness.open(storage);
  await log.append(payloadOf(1, 40));
  await log.rotate();
  log.submit(payloadOf(2, 40), 0, { chunkFlags: UNSYNCED });
  await log.commit();
  await log[way]();
  const { records } = await recoverAll(SimStorage.boot(storage.durableImage()));
  expect(records.map(({ lsn }) => lsn)).toEqual([1, 2]);
});
